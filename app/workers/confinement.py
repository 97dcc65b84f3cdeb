"""What a worker process gives up, before it touches what a file holds: memory, time, files, network, other programs.

The system enforces all of it, each part where it can. POSIX limits bound memory and time, Landlock closes the files,
and a seccomp filter refuses system calls. A process that a file has taken over can take neither of them back.
"""

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

# The server's own work goes first, then what people wait for at each move of the pen, then the opening of files.
RUNNING, OPENING = 10, 19

# Linux: prctl.h, seccomp.h, filter.h, audit.h.
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 22, 38
_MODE_FILTER = 2
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # where they are in seccomp_data
_ALLOW, _REFUSE, _UNKNOWN = 0x7FFF0000, 0x00050001, 0x00050026  # to go on, EPERM, ENOSYS
_CLONE_THREAD = 0x00010000
_X32 = 0x40000000  # system calls of another kind that x86-64 has too
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# Linux: landlock.h. The numbers of its system calls are the same everywhere.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH, _READ_FILE, _READ_DIR = 1, 1, 1 << 2, 1 << 3
_FILE_RIGHTS = (13, 14, 15, 15, 16)  # how many there are in each version
_NETWORK_RIGHTS = _SCOPES = 0b11  # to listen and to connect; abstract sockets and signals

# System calls to refuse, by their numbers on x86-64 and on 64-bit ARM. None: it is not there.
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    **{"execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None)},
    **{"socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201)},
    **{"accept": (43, 202), "accept4": (288, 242), "kill": (62, 129), "tkill": (200, 130)},
    **{"rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "pidfd_open": (434, 434)},
    **{"pidfd_send_signal": (424, 424), "pidfd_getfd": (438, 438), "ptrace": (101, 117)},
    **{"process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "process_madvise": (440, 440)},
    **{"mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51)},
    **{"unshare": (272, 97), "setns": (308, 268), "bpf": (321, 280), "perf_event_open": (298, 241)},
    **{"io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427)},
    **{"userfaultfd": (323, 282), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219)},
    **{"shmget": (29, 194), "shmat": (30, 196), "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180)},
    **{"memfd_create": (319, 279), "memfd_secret": (447, 447), "open_by_handle_at": (304, 265)},
    **{"kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105)},
    **{"finit_module": (313, 273), "delete_module": (176, 106), "reboot": (169, 142), "acct": (163, 89)},
    **{"swapon": (167, 224), "swapoff": (168, 225), "quotactl": (179, 60), "personality": (135, 92)},
    **{"iopl": (172, None), "ioperm": (173, None), "chmod": (90, None), "fchmod": (91, 52)},
    **{"fchmodat": (268, 53), "chown": (92, None), "lchown": (94, None), "fchown": (93, 55)},
    **{"fchownat": (260, 54), "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6)},
    **{"fsetxattr": (190, 7), "truncate": (76, 45), "ftruncate": (77, 46), "link": (86, None)},
}
_OPENING: dict[str, tuple[int | None, int | None]] = {
    **{"open": (2, None), "creat": (85, None), "openat": (257, 56), "openat2": (437, 437)},
}
_CLONE, _CLONE3 = {"x86_64": 56, "aarch64": 220}, 435


def confine(megabytes: int, readable: Sequence[Path] = ()) -> list[str]:
    """Give up, for good, all that running a network does not need. Returns: what the system enforces, in words.

    megabytes: memory beyond what the process has now. readable: folders that it may still read; by default no file at
    all can be opened any more, so that whatever it reads must be open, and imported, before.
    """
    enforced = limit_memory(megabytes)
    if be_modest(RUNNING):
        enforced.append("system calls")
    if _close_files(readable) and (readable or _refuse_calls(_OPENING)):
        enforced.append("files")
    return enforced


def be_modest(niceness: int) -> bool:
    """Let others go first, and start no program, open no connection, look into no other process.

    Returns whether the system enforces it.
    """
    if hasattr(os, "nice"):
        os.nice(niceness)
    with suppress(OSError, AttributeError):
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    return _refuse_calls(_REFUSED)


def limit_memory(megabytes: int) -> list[str]:
    """Bound the memory that this process may still take, and let it write no file. Returns: what is enforced."""
    try:
        import resource
    except ImportError:  # Windows
        return []
    _lower(resource.RLIMIT_FSIZE, 0, also_hard=True)
    _lower(resource.RLIMIT_CORE, 0, also_hard=True)
    used = _address_space(resource.getpagesize())
    if used is None:
        return []
    _lower(resource.RLIMIT_AS, used + megabytes * 2**20)
    return ["memory"]


def limit_time(seconds: float) -> None:
    """Bound the processor time that this process may take from now on."""
    with suppress(ImportError):
        import resource

        _lower(resource.RLIMIT_CPU, int(sum(os.times()[:2]) + seconds) + 1)


def _lower(limit: int, value: int, also_hard: bool = False) -> None:
    """Lower a limit of this process. also_hard: for good; else the next file has a limit of its own."""
    import resource

    _, hard = resource.getrlimit(limit)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(limit, (value, value if also_hard else hard))


def _address_space(page: int) -> int | None:
    """Return the bytes of addresses in use; None where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * page
    except OSError:
        return None


def _close_files(readable: Iterable[Path]) -> bool:
    """Let this process open nothing but what is in these folders, and no connection. Returns whether it worked."""
    if sys.platform != "linux":
        return False
    try:
        version = _syscall(_CREATE_RULESET, None, 0, _VERSION)
        described = _all_rights(version)
        ruleset = _syscall(_CREATE_RULESET, described, len(described), 0)
        for folder in readable:
            _allow(ruleset, folder)
        _syscall(_RESTRICT_SELF, ruleset, 0)
        os.close(ruleset)
    except (OSError, AttributeError):
        return False
    return True


def _all_rights(version: int) -> bytes:
    """Return struct landlock_ruleset_attr: all that this version takes away of files, network, other processes."""
    files = (1 << _FILE_RIGHTS[min(version, len(_FILE_RIGHTS)) - 1]) - 1
    fields = [files, *[_NETWORK_RIGHTS] * (version >= 4), *[_SCOPES] * (version >= 6)]  # it grew with the versions
    return struct.pack(f"={len(fields)}Q", *fields)


def _allow(ruleset: int, folder: Path) -> None:
    """Let a ruleset allow reading what is in a folder. Raises: OSError."""
    parent = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    try:
        rights = _READ_FILE | (_READ_DIR if folder.is_dir() else 0)
        _syscall(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, parent), 0)
    finally:
        os.close(parent)


def _refuse_calls(refused: Mapping[str, tuple[int | None, int | None]]) -> bool:
    """Have the kernel refuse these system calls, and new processes. Returns whether it does."""
    machine = platform.machine()
    if sys.platform != "linux" or machine not in _AUDIT:
        return False
    column = list(_AUDIT).index(machine)
    numbers = [number for each in refused.values() if (number := each[column]) is not None]
    program = _filter(_AUDIT[machine], numbers, _CLONE[machine])
    buffer = ctypes.create_string_buffer(program)
    # struct sock_fprog: the number of instructions, and where they are.
    described = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    try:
        _prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.create_string_buffer(described))
    except (OSError, AttributeError):
        return False
    return True


def _filter(architecture: int, refused: Sequence[int], clone: int) -> bytes:
    """Return a filter of system calls, as classic BPF.

    A new process is refused, and a new thread is not: the flags of clone tell them apart. Those of clone3 lie where a
    filter cannot read them; where it is unknown, the C library calls clone.
    """
    lines = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, _NUMBER),
        (_IF_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _REFUSE),
        (_IF_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _UNKNOWN),
    ]
    for number in refused:
        lines += [(_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    lines += [
        (_IF_EQUAL, 0, 3, clone),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_IF_SET, 1, 0, _CLONE_THREAD),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def _prctl(option: int, *arguments: object) -> None:
    """Raises: OSError."""
    _check(ctypes.CDLL(None, use_errno=True).prctl(option, *arguments, *[0] * (4 - len(arguments))))


def _syscall(number: int, *arguments: object) -> int:
    """Raises: OSError."""
    return _check(ctypes.CDLL(None, use_errno=True).syscall(number, *arguments))


def _check(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
