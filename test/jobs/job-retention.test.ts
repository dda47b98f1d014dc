import { describe, expect, it } from "vitest";
import type { Job } from "../../src/jobs/job.js";
import { expiredJobs } from "../../src/jobs/job-retention.js";

const hour = 3_600_000;
const now = Date.parse("2026-06-01T12:00:00Z");
const ended = (id: string, hoursAgo: number): Job => ({
  id,
  kind: "work",
  state: "cancelled",
  progress: 0,
  createdAt: new Date(now - (hoursAgo + 1) * hour).toISOString(),
  endedAt: new Date(now - hoursAgo * hour).toISOString(),
});
const limits = { maxEndedJobs: 3, endedJobHours: 100, maxResumableJobs: 2, resumableJobHours: 10 };
const idsOf = (jobs: Job[]) => jobs.map(({ id }) => id).sort();
const expired = (jobs: Job[]) => {
  const { forget, dropInput } = expiredJobs(jobs, limits, now);
  return { forget: idsOf(forget), dropInput: idsOf(dropInput) };
};

describe("expiredJobs", () => {
  it("forgets the oldest beyond the number, and those beyond the age", () => {
    const jobs = [ended("a", 4), ended("b", 3), ended("c", 2), ended("d", 1), ended("e", 101)];
    expect(expired(jobs)).toEqual({ forget: ["a", "e"], dropInput: ["b"] });
  });

  it("keeps what ended now before what ended in the future, before the clock was set back", () => {
    const future = [1, 2, 3].map((i) => ended(`future-${i}`, -1000 * i));
    expect(expired([...future, ended("now", 0), ended("before", 1)])).toEqual({
      forget: ["future-1", "future-2"],
      dropInput: ["future-3"],
    });
  });
});
