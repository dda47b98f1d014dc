import { describe, expect, it } from "vitest";
import { missingLocks } from "../../src/sandbox/missing-locks.js";

const all = { landlock: 6, seccomp: true };

describe("missingLocks", () => {
  it("is silent where both locks hold, and where none was wanted", () => {
    expect(missingLocks(all, "auto")).toBeUndefined();
    expect(missingLocks({ landlock: 0, seccomp: false }, "off")).toBeUndefined();
  });

  it("names the lock that is missing, what follows and why", () => {
    expect(missingLocks({ ...all, landlock: 0 }, "auto")).toBe(
      "A file that exploits its decoder is not kept from files (Landlock): it could read all " +
        "that this user can. The reason: this kernel does not have it " +
        "(option sandbox; see `doctor`)",
    );
    expect(missingLocks({ ...all, seccomp: false }, "auto")).toMatch(
      /not kept from the network \(seccomp\): it could send and open connections/,
    );
  });

  it("names both, with the system's own reason", () => {
    const reason = "only Linux has Landlock and seccomp";
    const message = missingLocks({ landlock: 0, seccomp: false, reason }, "auto");
    expect(message).toMatch(/files .*, nor from the network .*\. The reason: only Linux has/);
  });
});
