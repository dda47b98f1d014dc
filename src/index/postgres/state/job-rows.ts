import type { Job } from "../../../jobs/job.js";
import type { JobPlacement } from "../../../jobs/job-store.js";
import type { Connection } from "../connections.js";

/** What a poll returns for each job. */
export interface JobHead {
  id: string;
  /** Differs after each change. */
  revision: number;
  fence: number;
  state: Job["state"];
  owner: string | null;
  home: string | null;
  /** Whether the server that runs it is to stop. */
  cancel: boolean;
  /** Whether nobody has renewed the lease of a running job in time. */
  expired: boolean;
}

const next = "nextval('crossmodal.job_revisions')";
const heads = `id, revision, fence, state, owner, home, cancel,
  state = 'running' and lease_until < clock_timestamp() as expired`;

export async function insertJob(
  db: Connection,
  job: Job,
  { lane, home }: Pick<JobPlacement, "lane"> & { home: string | undefined },
): Promise<JobHead> {
  const { rows } = await db.query(
    `insert into crossmodal.jobs (id, record, state, lane, home) values ($1, $2, $3, $4, $5)
      returning ${heads}`,
    [job.id, JSON.stringify(job), job.state, lane, home],
  );
  return rows[0];
}

export async function jobHeads(db: Connection): Promise<JobHead[]> {
  return (await db.query(`select ${heads} from crossmodal.jobs`)).rows;
}

/** Some of the jobs, oldest first. */
export async function readJobs(db: Connection, ids: readonly string[]): Promise<Job[]> {
  const { rows } = await db.query(
    `select record, state from crossmodal.jobs where id = any($1)
      order by record ->> 'createdAt', id`,
    [ids],
  );
  // The state in the record of a job that was just taken is that before.
  return rows.map(({ record, state }) => ({ ...record, state }));
}

/**
 * Writes a job if its fence is the expected one: a server that knows an earlier one has lost the
 * job.
 * @returns what it is now, or undefined when the fence is another.
 */
export async function writeJob(
  db: Connection,
  job: Job,
  fence: number,
): Promise<JobHead | undefined> {
  const { rows } = await db.query(
    `update crossmodal.jobs set record = $2, state = $3, revision = ${next},
        fence = fence + (state <> $3)::int,
        owner = case $3 when 'running' then owner end,
        cancel = cancel and $3 = 'running',
        deaths = case when state in ('queued', 'running') then deaths else 0 end
      where id = $1 and fence = $4 returning ${heads}`,
    [job.id, JSON.stringify(job), job.state, fence],
  );
  return rows[0];
}

export interface TakenRow extends JobHead {
  deaths: number;
}

/**
 * Makes `server` the owner of a job that waits, or whose owner is gone.
 * @returns undefined when it cannot be taken; fails with 23505 while another one runs in its lane.
 */
export async function takeJob(
  db: Connection,
  id: string,
  { server, leaseMs }: { server: string; leaseMs: number },
): Promise<TakenRow | undefined> {
  const { rows } = await db.query(
    `update crossmodal.jobs set state = 'running', owner = $2, fence = fence + 1,
        revision = ${next}, deaths = deaths + (state = 'running')::int,
        lease_until = clock_timestamp() + $3 * interval '1 ms'
      where id = $1 and (home is null or home = $2) and (state = 'queued'
        or state = 'running' and (lease_until < clock_timestamp() or owner = $2))
      returning ${heads}, deaths`,
    [id, server, leaseMs],
  );
  return rows[0];
}

/**
 * One statement: a process that is paused between two would keep the row locked.
 * @returns false when the job was taken by another server.
 */
export async function renewLease(
  db: Connection,
  id: string,
  { fence, leaseMs }: { fence: number; leaseMs: number },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update crossmodal.jobs set lease_until = clock_timestamp() + $3 * interval '1 ms'
      where id = $1 and fence = $2 and state = 'running'`,
    [id, fence, leaseMs],
  );
  return rowCount === 1;
}

export async function requestCancel(db: Connection, id: string): Promise<void> {
  await db.query("update crossmodal.jobs set cancel = true where id = $1 and state = 'running'", [
    id,
  ]);
}

export async function deleteJob(db: Connection, id: string): Promise<void> {
  await db.query("delete from crossmodal.jobs where id = $1", [id]);
}
