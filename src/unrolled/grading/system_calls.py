"""Which system calls code in the sandbox may make: a list of what is allowed, as a seccomp filter for bubblewrap.

The list was found by tracing the player, NumPy, the model answers of every assignment and the whole of Python's library on x86_64
with glibc. To it were added the calls by which other C libraries and kernels do the same things (musl reads with readv, older libraries
use open and stat, newer ones statx and faccessat2). What is in no list does not exist here: a C library that meets ENOSYS falls back on an
older call, and no call ends the program. aarch64's numbers are the kernel's own; no machine of that kind has tried them.
"""

from __future__ import annotations

import struct

# (name, number on x86_64, number on aarch64; None where there is none), in the order of what they do: files, memory, signals, clocks,
# the process itself. None of them makes what outlives the process, or what no limit counts.
ALLOWED = (
    ("read", 0, 63), ("readv", 19, 65), ("pread64", 17, 67), ("preadv", 295, 69), ("preadv2", 327, 286), ("write", 1, 64),
    ("writev", 20, 66), ("pwrite64", 18, 68), ("pwritev", 296, 70), ("pwritev2", 328, 287), ("close", 3, 57), ("close_range", 436, 436),
    ("open", 2, None), ("openat", 257, 56), ("openat2", 437, 437), ("stat", 4, None), ("lstat", 6, None), ("fstat", 5, 80),
    ("newfstatat", 262, 79), ("statx", 332, 291), ("lseek", 8, 62), ("access", 21, None), ("faccessat", 269, 48),
    ("faccessat2", 439, 439), ("readlink", 89, None), ("readlinkat", 267, 78), ("getdents", 78, None), ("getdents64", 217, 61),
    ("getcwd", 79, 17), ("chdir", 80, 49), ("fchdir", 81, 50), ("dup", 32, 23), ("dup2", 33, None), ("dup3", 292, 24),
    ("pipe", 22, None), ("pipe2", 293, 59), ("poll", 7, None), ("ppoll", 271, 73), ("select", 23, None), ("pselect6", 270, 72),
    ("statfs", 137, 43), ("fstatfs", 138, 44), ("umask", 95, 166), ("brk", 12, 214), ("mmap", 9, 222), ("munmap", 11, 215),
    ("mprotect", 10, 226), ("mremap", 25, 216), ("madvise", 28, 233), ("mincore", 27, 232), ("msync", 26, 227),
    ("rt_sigaction", 13, 134), ("rt_sigprocmask", 14, 135), ("rt_sigreturn", 15, 139), ("rt_sigpending", 127, 136),
    ("rt_sigtimedwait", 128, 137), ("rt_sigsuspend", 130, 133), ("sigaltstack", 131, 132), ("kill", 62, 129), ("tkill", 200, 130),
    ("tgkill", 234, 131), ("pause", 34, None), ("alarm", 37, None), ("getitimer", 36, 102), ("setitimer", 38, 103),
    ("restart_syscall", 219, 128), ("clock_gettime", 228, 113), ("clock_getres", 229, 114), ("clock_nanosleep", 230, 115),
    ("nanosleep", 35, 101), ("gettimeofday", 96, 169), ("time", 201, None), ("times", 100, 153), ("execve", 59, 221), ("exit", 60, 93),
    ("exit_group", 231, 94), ("wait4", 61, 260), ("waitid", 247, 95), ("futex", 202, 98), ("set_tid_address", 218, 96),
    ("set_robust_list", 273, 99), ("get_robust_list", 274, 100), ("rseq", 334, 293), ("arch_prctl", 158, None), ("sched_yield", 24, 124),
    ("sched_getaffinity", 204, 123), ("sched_getscheduler", 145, 120), ("sched_getparam", 143, 121), ("getcpu", 309, 168),
    ("getpid", 39, 172), ("getppid", 110, 173), ("gettid", 186, 178), ("getuid", 102, 174), ("geteuid", 107, 175), ("getgid", 104, 176),
    ("getegid", 108, 177), ("getresuid", 118, 148), ("getresgid", 120, 150), ("getgroups", 115, 158), ("getpgid", 121, 155),
    ("getpgrp", 111, None), ("getsid", 124, 156), ("getpriority", 140, 141), ("getrlimit", 97, 163), ("setrlimit", 160, 164),
    ("prlimit64", 302, 261), ("getrusage", 98, 165), ("sysinfo", 99, 179), ("uname", 63, 160), ("getrandom", 318, 278),
)  # fmt: skip

# What a Python program may well try, and gets "Operation not permitted" for. All else is answered by "Function not implemented".
REFUSED = (
    ("fork", 57, None), ("vfork", 58, None), ("clone", 56, 220), ("socket", 41, 198), ("socketpair", 53, 199),
    ("memfd_create", 319, 279), ("flock", 73, 32), ("creat", 85, None), ("mkdir", 83, None), ("mkdirat", 258, 34), ("rmdir", 84, None),
    ("unlink", 87, None), ("unlinkat", 263, 35), ("rename", 82, None), ("renameat", 264, 38), ("renameat2", 316, 276),
    ("link", 86, None), ("linkat", 265, 37), ("symlink", 88, None), ("symlinkat", 266, 36), ("mknod", 133, None), ("mknodat", 259, 33),
    ("chmod", 90, None), ("fchmod", 91, 52), ("fchmodat", 268, 53), ("chown", 92, None), ("fchown", 93, 55), ("lchown", 94, None),
    ("fchownat", 260, 54), ("truncate", 76, 45), ("ftruncate", 77, 46), ("utime", 132, None), ("utimes", 235, None),
    ("utimensat", 280, 88), ("futimesat", 261, None), ("setuid", 105, 146), ("setgid", 106, 144), ("setgroups", 116, 159),
    ("setpgid", 109, 154), ("setsid", 112, 157), ("setpriority", 141, 140), ("sched_setaffinity", 203, 122),
    ("sched_setscheduler", 144, 119), ("ptrace", 101, 117), ("mount", 165, 40), ("umount2", 166, 39), ("unshare", 272, 97),
    ("chroot", 161, 51),
)  # fmt: skip

# Calls of many faces, by their second argument: leases, locks and notifications on files that others use are not among these.
BY_ARGUMENT = (
    ("fcntl", 72, 25, (0, 1, 2, 3, 4, 1030, 1032)),  # F_DUPFD, GETFD, SETFD, GETFL, SETFL, DUPFD_CLOEXEC, GETPIPE_SZ
    # TCGETS and TCGETS2 (is this a terminal?), TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
    ("ioctl", 16, 29, (0x5401, 0x802C542A, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)),
)

MACHINES = {"x86_64": (1, 0xC000003E), "aarch64": (2, 0xC00000B7)}  # the column of a call's number, and AUDIT_ARCH_... of the kernel
EPERM, ENOSYS = 1, 38
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
NUMBER, ARCHITECTURE, SECOND_ARGUMENT = 0, 4, 24  # where these lie in what a filter is given: struct seccomp_data, little-endian

Instruction = tuple[int, int, int, int]  # of classic BPF: code, instructions to skip when true, and when false, operand


def program(machine: str) -> list[Instruction]:
    """The filter for a machine in MACHINES. Other instruction sets on it, such as x86_64's 32-bit and x32 calls, have no calls at all."""
    column, architecture = MACHINES[machine]
    found = [(LOAD, 0, 0, ARCHITECTURE), (EQUAL, 1, 0, architecture), (RETURN, 0, 0, ERRNO | ENOSYS), (LOAD, 0, 0, NUMBER)]
    for answer, calls in ((ALLOW, ALLOWED), (ERRNO | EPERM, REFUSED)):
        for number in (call[column] for call in calls):
            if number is not None:
                found += [(EQUAL, 0, 1, number), (RETURN, 0, 0, answer)]
    for call in BY_ARGUMENT:
        accepted = [each for value in call[3] for each in ((EQUAL, 0, 1, value), (RETURN, 0, 0, ALLOW))]
        found += [(EQUAL, 0, len(accepted) + 2, call[column]), (LOAD, 0, 0, SECOND_ARGUMENT), *accepted, (RETURN, 0, 0, ERRNO | EPERM)]
    return [*found, (RETURN, 0, 0, ERRNO | ENOSYS)]


def packed(instructions: list[Instruction]) -> bytes:
    """Instructions as the kernel reads them."""
    return b"".join(struct.pack("HBBI", *instruction) for instruction in instructions)
