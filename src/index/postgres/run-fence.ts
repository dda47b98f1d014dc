import pg from "pg";
import { AppError } from "../../errors.js";
import { currentRun, type JobRun } from "../../jobs/job-run.js";

/** SQLSTATE of our own. */
const lostState = "CM001";

/**
 * Runs a statement as long as the job that this work belongs to is still this server's. Both are
 * one message to the database: a process that is paused cannot be between them. Whoever takes the
 * job waits for the statement or comes before it, and then it fails.
 * @throws AppError `conflict` when another server has taken the job.
 */
export async function whileRunHolds(db: pg.ClientBase, statement: string): Promise<void> {
  const run = currentRun();
  try {
    await db.query(run === undefined ? statement : `${checkOf(run)}; ${statement}`);
  } catch (error) {
    if (run === undefined || (error as { code?: string }).code !== lostState) throw error;
    run.markLost();
    const message = `Another server goes on with the job "${run.id}"`;
    throw new AppError("conflict", message, { param: "id", cause: error });
  }
}

const checkOf = ({ id, fence }: JobRun) => `do $run$ begin
    perform from crossmodal.jobs
      where id = ${pg.escapeLiteral(id)} and fence = ${fence} and state = 'running' for share;
    if not found then
      raise exception 'the job was taken by another server' using errcode = '${lostState}';
    end if;
  end $run$`;
