type Numbers = readonly [x64: number | undefined, arm64: number | undefined];

/** Numbers of the system calls that are refused, on x64 and arm64. Source: syscalls(2). */
const refused: Record<string, Numbers> = {
  // The network, and services of this machine behind Unix sockets; socketpair(2) stays
  socket: [41, 198],
  connect: [42, 203],
  bind: [49, 200],
  // Other processes
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  process_madvise: [440, 440],
  process_mrelease: [448, 448],
  kcmp: [312, 272],
  pidfd_getfd: [438, 438],
  migrate_pages: [256, 238],
  move_pages: [279, 239],
  setpriority: [141, 140],
  ioprio_set: [251, 30],
  // What it starts stays in its group, which the server ends
  setsid: [112, 157],
  setpgid: [109, 154],
  // Memory and messages that processes share by number or name
  shmget: [29, 194],
  shmat: [30, 196],
  shmctl: [31, 195],
  semget: [64, 190],
  semop: [65, 193],
  semtimedop: [220, 192],
  semctl: [66, 191],
  msgget: [68, 186],
  msgsnd: [69, 189],
  msgrcv: [70, 188],
  msgctl: [71, 187],
  mq_open: [240, 180],
  mq_unlink: [241, 181],
  // What Landlock lets pass on any file: owner, mode, times, attributes and news of it; length
  // before its version 3
  truncate: [76, 45],
  chmod: [90, undefined],
  fchmod: [91, 52],
  fchmodat: [268, 53],
  fchmodat2: [452, 452],
  chown: [92, undefined],
  fchown: [93, 55],
  lchown: [94, undefined],
  fchownat: [260, 54],
  utime: [132, undefined],
  utimes: [235, undefined],
  futimesat: [261, undefined],
  utimensat: [280, 88],
  setxattr: [188, 5],
  lsetxattr: [189, 6],
  fsetxattr: [190, 7],
  setxattrat: [463, 463],
  removexattr: [197, 14],
  lremovexattr: [198, 15],
  fremovexattr: [199, 16],
  removexattrat: [466, 466],
  file_setattr: [469, 469],
  inotify_init: [253, undefined],
  inotify_init1: [294, 26],
  fanotify_init: [300, 262],
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

/** Refused too where Landlock does not keep signals within a decoder and what it starts. */
const signals: Record<string, Numbers> = {
  kill: [62, 129],
  tkill: [200, 130],
  tgkill: [234, 131],
  rt_sigqueueinfo: [129, 138],
  rt_tgsigqueueinfo: [297, 240],
  pidfd_send_signal: [424, 424],
};

/** Allowed for the calling process (0 as the first argument) alone. */
const onItself: Record<string, Numbers> = {
  prlimit64: [302, 261],
  sched_setaffinity: [203, 122],
  sched_setattr: [314, 274],
  sched_setparam: [142, 118],
  sched_setscheduler: [144, 119],
};

/** They answer that there is no such call: libraries then do without. */
const absent: Record<string, Numbers> = {
  io_uring_setup: [425, 425], // would open sockets past this filter
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  clone3: [435, 435], // a filter cannot inspect its flags
};

const socketpair: Numbers = [53, 199];
/** A pair of datagram sockets can send to any address; of the type, the rest are flags. */
const socketTypes = 0xf;
const SOCK_STREAM = 1;

/** Commands of fcntl(2) and ioctl(2) that name who gets a signal. Source: asm-generic/fcntl.h. */
const owners = [
  { call: [72, 25], commands: [8, 15] }, // F_SETOWN, F_SETOWN_EX
  { call: [16, 29], commands: [0x8901, 0x8902] }, // FIOSETOWN, SIOCSPGRP
] as const;

const clone: Numbers = [56, 220];
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. Source: linux/sched.h. */
const newNamespaces = 0x7e020000;

// Source: linux/bpf_common.h, linux/seccomp.h, linux/audit.h, asm-generic/errno-base.h.
const loadWord = 0x20;
const jumpIfEqual = 0x15;
const jumpIfAtLeast = 0x35;
const jumpIfSet = 0x45;
const keepBits = 0x54;
const giveBack = 0x06;
const at = { number: 0, architecture: 4, firstArgument: 16, secondArgument: 24 };
const allow = 0x7fff0000;
const kill = 0x80000000;
const error = (errno: number) => 0x00050000 | errno;
const EPERM = 1;
const ENOSYS = 38;
const architectures = { x64: 0xc000003e, arm64: 0xc00000b7 };
/** Numbers of x64's second, 32-bit interface begin here. */
const x32 = 0x40000000;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

/**
 * A filter of system calls for a process that decodes, as `struct sock_filter[]`.
 * @param scopesSignals  whether Landlock keeps signals from other processes: its version 6.
 * @returns undefined for an architecture whose numbers are not here.
 */
export function seccompFilter(
  scopesSignals: boolean,
  architecture = process.arch,
): Buffer | undefined {
  if (architecture !== "x64" && architecture !== "arm64") return undefined;
  const column = architecture === "x64" ? 0 : 1;
  const numbersOf = (calls: Record<string, Numbers>) =>
    Object.values(calls).flatMap((numbers) => numbers[column] ?? []);
  const program: Instruction[] = [
    [loadWord, 0, 0, at.architecture],
    [jumpIfEqual, 1, 0, architectures[architecture]],
    [giveBack, 0, 0, kill],
    [loadWord, 0, 0, at.number],
  ];
  /** `result` when the loaded word passes the test. */
  const when = (test: number, value: number, result: number): Instruction[] => [
    [test, 0, 1, value],
    [giveBack, 0, 0, result],
  ];
  /** For a call that is judged by an argument: what ends in a verdict. */
  const of = (numbers: Numbers, judge: readonly Instruction[]) =>
    program.push([jumpIfEqual, 0, judge.length, numbers[column]!], ...judge);
  const refuse = error(EPERM);
  program.push(...when(jumpIfAtLeast, x32, refuse));
  for (const number of numbersOf(refused)) program.push(...when(jumpIfEqual, number, refuse));
  for (const number of numbersOf(absent)) program.push(...when(jumpIfEqual, number, error(ENOSYS)));
  const itself: Instruction[] = [
    [loadWord, 0, 0, at.firstArgument],
    ...when(jumpIfEqual, 0, allow),
    [giveBack, 0, 0, refuse],
  ];
  for (const numbers of Object.values(onItself)) of(numbers, itself);
  of(socketpair, [
    [loadWord, 0, 0, at.secondArgument],
    [keepBits, 0, 0, socketTypes],
    ...when(jumpIfEqual, SOCK_STREAM, allow),
    [giveBack, 0, 0, refuse],
  ]);
  of(clone, [
    [loadWord, 0, 0, at.firstArgument],
    ...when(jumpIfSet, newNamespaces, refuse),
    [giveBack, 0, 0, allow],
  ]);
  if (!scopesSignals) {
    for (const number of numbersOf(signals)) program.push(...when(jumpIfEqual, number, refuse));
    for (const { call, commands } of owners)
      of(call, [
        [loadWord, 0, 0, at.secondArgument],
        ...commands.flatMap((command) => when(jumpIfEqual, command, refuse)),
        [giveBack, 0, 0, allow],
      ]);
  }
  program.push([giveBack, 0, 0, allow]);
  return Buffer.concat(program.map(instruction));
}

function instruction([code, ifTrue, ifFalse, value]: Instruction): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code);
  bytes.writeUInt8(ifTrue, 2);
  bytes.writeUInt8(ifFalse, 3);
  bytes.writeUInt32LE(value >>> 0, 4);
  return bytes;
}
