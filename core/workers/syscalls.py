"""The kernel by number: system calls that no library wraps, and the numbers the filter needs.

Each line of the table is a name, its number on x86_64 and its number on aarch64 (`-`: it has none
there). The aarch64 column is the generic Linux table and has not been run. Calls newer than
`NEWEST` are not listed: the filter answers them as an older kernel would.
"""

from __future__ import annotations

import ctypes
import os
import sys

NEWEST = 450

_TABLE = """
    # what the filter looks at more closely
    socket 41 198 | socketpair 53 199 | sendto 44 206 | sendmsg 46 211 | sendmmsg 307 269
    ioctl 16 29 | fcntl 72 25 | mmap 9 222 | prlimit64 302 261 | clone 56 220 | clone3 435 435
    prctl 157 167 | setsockopt 54 208
    kill 62 129 | tgkill 234 131 | rt_sigqueueinfo 129 138 | rt_tgsigqueueinfo 297 240
    # other programs
    fork 57 - | vfork 58 - | execve 59 221 | execveat 322 281 | uselib 134 -
    # other processes: their memory, descriptors, signals, priorities
    ptrace 101 117 | process_vm_readv 310 270 | process_vm_writev 311 271 | kcmp 312 272
    process_madvise 440 440 | process_mrelease 448 448 | move_pages 279 239
    migrate_pages 256 238 | pidfd_open 434 434 | pidfd_getfd 438 438 | pidfd_send_signal 424 424
    tkill 200 130 | setpriority 141 140 | ioprio_set 251 30 | sched_setaffinity 203 122
    sched_setattr 314 274 | sched_setparam 142 118 | sched_setscheduler 144 119
    setpgid 109 154 | setsid 112 157
    # memory that no limit counts, and queues and segments shared with anybody
    memfd_create 319 279 | memfd_secret 447 447 | shmget 29 194 | shmat 30 196 | shmctl 31 195
    semget 64 190 | semop 65 193 | semctl 66 191 | semtimedop 220 192 | msgget 68 186
    msgsnd 69 189 | msgrcv 70 188 | msgctl 71 187 | mq_open 240 180 | mq_unlink 241 181
    # the address side of sockets: a worker's channel is connected already
    bind 49 200 | listen 50 201 | accept 43 202 | accept4 288 242 | connect 42 203
    # what Landlock does not watch: mode, owner, times and attributes of any file, and its changes
    chmod 90 - | fchmod 91 52 | fchmodat 268 53 | chown 92 - | lchown 94 - | fchown 93 55
    fchownat 260 54 | utime 132 - | utimes 235 - | futimesat 261 - | utimensat 280 88
    setxattr 188 5 | lsetxattr 189 6 | fsetxattr 190 7
    removexattr 197 14 | lremovexattr 198 15 | fremovexattr 199 16
    inotify_init 253 - | inotify_init1 294 26 | inotify_add_watch 254 27
    fanotify_init 300 262 | fanotify_mark 301 263 | truncate 76 45
    name_to_handle_at 303 264 | open_by_handle_at 304 265 | mknod 133 - | mknodat 259 33
    # identity and what root may do
    setuid 105 146 | setgid 106 144 | setreuid 113 145 | setregid 114 143 | setresuid 117 147
    setresgid 119 149 | setfsuid 122 151 | setfsgid 123 152 | setgroups 116 159 | capset 126 91
    keyctl 250 219 | add_key 248 217 | request_key 249 218 | personality 135 92
    # the machine: mounts, namespaces, modules, clocks, tracing
    mount 165 40 | umount2 166 39 | pivot_root 155 41 | chroot 161 51 | unshare 272 97
    setns 308 268 | open_tree 428 428 | move_mount 429 429 | fsopen 430 430 | fsconfig 431 431
    fsmount 432 432 | fspick 433 433 | mount_setattr 442 442 | quotactl 179 60
    quotactl_fd 443 443 | swapon 167 224 | swapoff 168 225 | acct 163 89 | reboot 169 142
    kexec_load 246 104 | kexec_file_load 320 294 | init_module 175 105 | finit_module 313 273
    delete_module 176 106 | sethostname 170 161 | setdomainname 171 162 | syslog 103 116
    settimeofday 164 170 | clock_settime 227 112 | adjtimex 159 171 | clock_adjtime 305 266
    vhangup 153 58 | iopl 172 - | ioperm 173 - | modify_ldt 154 - | lookup_dcookie 212 18
    bpf 321 280 | perf_event_open 298 241 | userfaultfd 323 282
    # a filter of the worker's own, whose answers would go before those of this one
    seccomp 317 277
    # asynchronous input and output works outside the filter
    io_uring_setup 425 425 | io_uring_enter 426 426 | io_uring_register 427 427
    io_setup 206 0 | io_submit 209 2
"""

_COLUMN = {"x86_64": 1, "aarch64": 2}


def machine() -> str:
    """Return the name of this machine's call table, "" where there is none: other processors,
    32-bit programs, other systems."""
    if sys.platform != "linux" or sys.maxsize < 2**32:
        return ""
    name = os.uname().machine
    return name if name in _COLUMN else ""


def numbers(machine_name: str) -> dict[str, int]:
    """Return number by name of every listed call that `machine_name` has."""
    lines = [line for line in _TABLE.splitlines() if not line.lstrip().startswith("#")]
    rows = [row.split() for row in "|".join(lines).split("|") if row.strip()]
    column = _COLUMN[machine_name]
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}


def call(number: int, *arguments: int | bytes | ctypes.Array[ctypes.c_char]) -> int:
    """Make a system call; OSError where the kernel refuses. Integers go as 64 bits."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    words = [ctypes.c_long(item) if isinstance(item, int) else item for item in arguments]
    return _checked(libc.syscall(ctypes.c_long(number), *words))


def prctl(option: int, *arguments: int | bytes) -> int:
    """Make a prctl call, missing arguments being 0; OSError where the kernel refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    padded = (*arguments, 0, 0, 0, 0)[:4]
    words = [ctypes.c_ulong(item) if isinstance(item, int) else item for item in padded]
    return _checked(libc.prctl(option, *words))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
