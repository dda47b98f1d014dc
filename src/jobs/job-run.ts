import { AsyncLocalStorage } from "node:async_hooks";

/** The run of a job on this server. Another server may take the job, which ends it. */
export interface JobRun {
  readonly id: string;
  /** Changes once somebody else has changed the job. */
  readonly fence: number;
  /** Another server has taken the job: nothing more is done on this one. */
  markLost(): void;
}

const current = new AsyncLocalStorage<JobRun | undefined>();

/** The run that this work belongs to: its writes only count while the run lasts. */
export const currentRun = (): JobRun | undefined => current.getStore();

/** Runs `work`, and everything it awaits, as part of a run. */
export const withinRun = <T>(run: JobRun, work: () => T): T => current.run(run, work);

/** Runs work that continues after the run that started it has ended. */
export const outsideRuns = <T>(work: () => T): T => current.run(undefined, work);
