import { describe, expect, it } from "vitest";
import { seccompFilter } from "../../src/sandbox/seccomp-filter.js";

/**
 * Runs a program as the kernel does, as far as it is used here.
 * @param data  `struct seccomp_data` by offset: number of the call, architecture, arguments.
 */
function verdict(program: Buffer, data: Record<number, number>): string {
  let loaded = 0;
  for (let at = 0; ; at += 8) {
    const [code, value] = [program.readUInt16LE(at), program.readUInt32LE(at + 4)];
    const jump = (isTrue: boolean) => {
      at += 8 * program.readUInt8(at + (isTrue ? 2 : 3));
    };
    if (code === 0x20) loaded = data[value];
    else if (code === 0x15) jump(loaded === value);
    else if (code === 0x35) jump(loaded >= value);
    else if (code === 0x45) jump((loaded & value) !== 0);
    else if (code === 0x54) loaded &= value;
    else if (code === 0x06) return value.toString(16);
    else throw new Error(`an instruction ${code.toString(16)}`);
  }
}

const allowed = "7fff0000";
const refused = "50001"; // EPERM
const absent = "50026"; // ENOSYS
const machines = { x64: 0xc000003e, arm64: 0xc00000b7 };

describe("seccompFilter", () => {
  it.each([
    // Numbers from the kernel's tables: arch/x86/entry/syscalls/syscall_64.tbl and unistd.h
    ["x64", { read: 0, execve: 59, socket: 41, ptrace: 101, clone: 56 }],
    ["arm64", { read: 63, execve: 221, socket: 198, ptrace: 117, clone: 220 }],
  ] as const)(
    "refuses sockets and other processes on %s, and nothing that a decoder needs",
    (name, calls) => {
      const program = seccompFilter(true, name)!;
      const of = (number: number, argument = 0) =>
        verdict(program, { 0: number, 4: machines[name], 16: argument });
      expect([calls.read, calls.execve].map((number) => of(number))).toEqual([allowed, allowed]);
      expect([of(calls.socket), of(calls.ptrace)]).toEqual([refused, refused]);
      expect([of(425), of(435)]).toEqual([absent, absent]); // io_uring_setup, clone3
      const thread = 0x3d0f00;
      expect(of(calls.clone, thread)).toBe(allowed);
      expect(of(calls.clone, 0x10000000 | 17)).toBe(refused); // CLONE_NEWUSER
    },
  );

  it.each([
    [
      "x64",
      { truncate: 76, fchmodat: 268, setsid: 112, prlimit: 302, socketpair: 53, tgkill: 234 },
    ],
    [
      "arm64",
      { truncate: 45, fchmodat: 53, setsid: 157, prlimit: 261, socketpair: 199, tgkill: 131 },
    ],
  ] as const)("keeps it to itself on %s", (name, calls) => {
    const of = (number: number, first = 0, second = 0, scopesSignals = true) =>
      verdict(seccompFilter(scopesSignals, name)!, {
        ...{ 0: number, 4: machines[name], 16: first, 24: second },
      });
    const { truncate, fchmodat, setsid, prlimit, socketpair, tgkill } = calls;
    expect([truncate, fchmodat, setsid].map((number) => of(number))).toEqual(
      Array(3).fill(refused),
    );
    expect([of(prlimit, 0), of(prlimit, 4711)]).toEqual([allowed, refused]);
    const [stream, datagram, flags] = [1, 2, 0o2004000]; // SOCK_CLOEXEC and SOCK_NONBLOCK
    expect(of(socketpair, 1, stream | flags)).toBe(allowed);
    expect(of(socketpair, 1, datagram | flags)).toBe(refused);
    // Signals, where Landlock does not keep them from others
    const fcntl = name === "x64" ? 72 : 25;
    const [F_SETFD, F_SETOWN] = [2, 8];
    expect([of(tgkill), of(fcntl, 3, F_SETOWN)]).toEqual([allowed, allowed]);
    expect(of(tgkill, 0, 0, false)).toBe(refused);
    expect(of(fcntl, 3, F_SETOWN, false)).toBe(refused);
    expect(of(fcntl, 3, F_SETFD, false)).toBe(allowed);
  });

  it("ends a process with calls of another architecture; refuses x64's second set", () => {
    const program = seccompFilter(true, "x64")!;
    expect(verdict(program, { 0: 0, 4: 0x40000003 })).toBe("80000000"); // AUDIT_ARCH_I386
    expect(verdict(program, { 0: 0x40000000 | 41, 4: machines.x64 })).toBe(refused);
  });

  it("is not made for architectures whose numbers are not here", () => {
    expect(seccompFilter(true, "riscv64")).toBe(undefined);
  });
});
