// @ts-check
import { closeSync, openSync } from "node:fs";
import { createRequire } from "node:module";

// Locks the calling process and becomes another program: `node run-locked.js PLAN COMMAND ARG…`.
// What Linux restricts, it restricts for one thread and what that starts, and a Node process has
// threads before its first line of JavaScript: so the locks are set here and the program that is to
// be locked is executed in this process's place. JavaScript, as it must start at once also where
// the rest runs from TypeScript.

/** @type {import("./lock-plan.js").LockPlan} */
const { landlock, seccomp, isRequired } = JSON.parse(process.argv[2]);
const [command, ...args] = process.argv.slice(3);
const koffi = createRequire(import.meta.url)("koffi");
const libc = koffi.load(null);
const syscall = libc.func("long syscall(long number, ...)");
const prctl = libc.func(
  "int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)",
);
const fcntl = libc.func("int fcntl(int fd, int command, int argument)");
const execve = libc.func("int execve(const char *path, const char **argv, const char **envp)");

// Source: linux/prctl.h, linux/seccomp.h, linux/close_range.h, asm-generic/fcntl.h; numbers of
// system calls above 423 are the same on every architecture.
const PR_SET_SECCOMP = 22;
const PR_CAPBSET_DROP = 24;
const PR_SET_NO_NEW_PRIVS = 38;
const SECCOMP_MODE_FILTER = 2;
const CAP_DAC_READ_SEARCH = 2;
const F_SETFD = 2;
const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
const SYS_close_range = 436;
const CLOSE_RANGE_CLOEXEC = 4;
const SYS_landlock_create_ruleset = 444;
const SYS_landlock_add_rule = 445;
const SYS_landlock_restrict_self = 446;

/** @param {string} what @param {number} result */
const check = (what, result) => {
  if (result >= 0) return result;
  throw new Error(`${what} failed with error ${koffi.errno()}`);
};

function restrictFiles() {
  if (landlock === undefined) return;
  const attributes = Buffer.from(landlock.attributes, "base64");
  const ruleset = check(
    "landlock_create_ruleset",
    Number(
      syscall(
        SYS_landlock_create_ruleset,
        ...["void *", attributes],
        ...["size_t", attributes.length],
        ...["uint32_t", 0],
      ),
    ),
  );
  for (const { path, access } of landlock.rules) {
    let fd;
    try {
      fd = openSync(path, O_PATH | O_CLOEXEC);
    } catch {
      continue; // not on this system
    }
    const rule = Buffer.alloc(12);
    rule.writeBigUInt64LE(BigInt(access));
    rule.writeInt32LE(fd, 8);
    const pathBeneath = 1;
    const added = syscall(
      SYS_landlock_add_rule,
      ...["int", ruleset],
      ...["int", pathBeneath],
      ...["void *", rule],
      ...["uint32_t", 0],
    );
    check(`landlock_add_rule for ${path}`, Number(added));
    closeSync(fd);
  }
  check(
    "landlock_restrict_self",
    Number(syscall(SYS_landlock_restrict_self, "int", ruleset, "uint32_t", 0)),
  );
}

function restrictCalls() {
  if (seccomp === undefined) return;
  const filter = Buffer.from(seccomp, "base64");
  const program = Buffer.alloc(16); // { u16 instructions; pointer }
  program.writeUInt16LE(filter.length / 8);
  program.writeBigUInt64LE(BigInt(koffi.address(filter)), 8);
  check("seccomp", prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, koffi.address(program), 0, 0));
}

/**
 * Root without capabilities, but to read files that are another's: Landlock says which. Others may
 * not drop what they do not have.
 */
function dropCapabilities() {
  for (let capability = 0; capability < 64; capability++)
    if (capability !== CAP_DAC_READ_SEARCH) prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

for (const lock of [
  () => check("no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)),
  dropCapabilities,
  restrictFiles,
  restrictCalls,
]) {
  try {
    lock();
  } catch (error) {
    console.error(`The sandbox cannot be had: ${/** @type {Error} */ (error).message}`);
    if (isRequired) process.exit(1);
  }
}
syscall(SYS_close_range, "uint32_t", 4, "uint32_t", 0xffffffff, "uint32_t", CLOSE_RANGE_CLOEXEC);
for (const fd of [0, 1, 2, 3]) fcntl(fd, F_SETFD, 0); // Node closes what it inherited
const environment = Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
execve(command, [command, ...args, null], [...environment, null]);
console.error(`${command} could not be executed: error ${koffi.errno()}`);
process.exit(1);
