"""What a worker may take of the machine, where the platform can say so."""

import sys
from contextlib import suppress
from pathlib import Path

_MEMORY = 1024 * 1024 * 1024  # bytes of address space
_FILES = 64
_WORN = 512 * 1024 * 1024  # bytes in memory at once, after which a process is not used again
_KILL_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_SIGKILL = 9


def tighten() -> None:
    """Bound this process: memory, open files, no file written, no dump of what was read; and its life."""
    if sys.platform == "win32":
        return
    import resource

    bounds = {
        resource.RLIMIT_AS: _MEMORY,
        resource.RLIMIT_NOFILE: _FILES,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for which, most in bounds.items():
        with suppress(ValueError, OSError):  # macOS knows some of them only by name
            resource.setrlimit(which, (most, most))
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_KILL_WITH_PARENT, _SIGKILL)


def allow_seconds(seconds: int) -> None:
    """Let this process use the processor for so long from now on; then it is killed."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    with suppress(ValueError, OSError):
        most = int(used.ru_utime + used.ru_stime) + seconds + 1
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))


def is_worn() -> bool:
    """Whether this process has once needed so much that it should make room for a new one."""
    return _peak() > _WORN


def _peak() -> int:
    """Bytes that this process had in memory at once, at most; 0 where the platform does not say.

    On Linux the kernel's own page says it: `ru_maxrss` begins there with what the parent had.
    """
    if sys.platform == "win32":
        return 0
    if sys.platform == "linux":
        with Path("/proc/self/status").open(encoding="ascii", errors="replace") as status:
            return next((int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:")), 0)
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024
