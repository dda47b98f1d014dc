/** Numbers of the system calls that are refused, on x64 and arm64. Source: syscalls(2). */
const refused: Record<string, readonly [x64: number, arm64: number]> = {
  // The network, and services of this machine behind Unix sockets; socketpair(2) stays
  socket: [41, 198],
  // Other processes
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  kcmp: [312, 272],
  pidfd_getfd: [438, 438],
  // Namespaces, mounts, and files by other ways than their paths
  unshare: [272, 97],
  setns: [308, 268],
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  // Parts of the kernel that no decoder needs
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  kexec_load: [246, 104],
  reboot: [169, 142],
  swapon: [167, 224],
  swapoff: [168, 225],
  acct: [163, 89],
};

/** They answer that there is no such call: libraries then do without. */
const absent: Record<string, readonly [x64: number, arm64: number]> = {
  io_uring_setup: [425, 425], // would open sockets past this filter
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  clone3: [435, 435], // its flags cannot be looked at
};

const clone = [56, 220] as const;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. Source: linux/sched.h. */
const newNamespaces = 0x7e020000;

// Source: linux/bpf_common.h, linux/seccomp.h, linux/audit.h, asm-generic/errno-base.h.
const loadWord = 0x20;
const jumpIfEqual = 0x15;
const jumpIfAtLeast = 0x35;
const jumpIfSet = 0x45;
const giveBack = 0x06;
const at = { number: 0, architecture: 4, firstArgument: 16 };
const allow = 0x7fff0000;
const kill = 0x80000000;
const error = (errno: number) => 0x00050000 | errno;
const EPERM = 1;
const ENOSYS = 38;
const architectures = { x64: 0xc000003e, arm64: 0xc00000b7 };
/** Numbers of x64's second, 32-bit interface begin here. */
const x32 = 0x40000000;

/**
 * A filter of system calls for a process that decodes, as `struct sock_filter[]`.
 * @returns undefined for an architecture whose numbers are not here.
 */
export function seccompFilter(architecture = process.arch): Buffer | undefined {
  if (architecture !== "x64" && architecture !== "arm64") return undefined;
  const column = architecture === "x64" ? 0 : 1;
  const program: [code: number, ifTrue: number, ifFalse: number, value: number][] = [];
  /** `result` when the loaded word passes the test. */
  const when = (test: number, value: number, result: number) =>
    program.push([test, 0, 1, value], [giveBack, 0, 0, result]);
  program.push(
    [loadWord, 0, 0, at.architecture],
    [jumpIfEqual, 1, 0, architectures[architecture]],
    [giveBack, 0, 0, kill],
    [loadWord, 0, 0, at.number],
  );
  when(jumpIfAtLeast, x32, error(EPERM));
  for (const numbers of Object.values(refused)) when(jumpIfEqual, numbers[column], error(EPERM));
  for (const numbers of Object.values(absent)) when(jumpIfEqual, numbers[column], error(ENOSYS));
  program.push([jumpIfEqual, 1, 0, clone[column]], [giveBack, 0, 0, allow]);
  program.push([loadWord, 0, 0, at.firstArgument]);
  when(jumpIfSet, newNamespaces, error(EPERM));
  program.push([giveBack, 0, 0, allow]);
  return Buffer.concat(program.map(instruction));
}

function instruction([code, ifTrue, ifFalse, value]: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code);
  bytes.writeUInt8(ifTrue, 2);
  bytes.writeUInt8(ifFalse, 3);
  bytes.writeUInt32LE(value >>> 0, 4);
  return bytes;
}
