"""How much memory a process has had: for scripts that tests start, of which each measures itself."""

import resource
import sys
from pathlib import Path

OWN = Path("/proc/self/status")


def peak() -> int:
    """The most this process has had, in bytes.

    Linux says of a new program as `ru_maxrss` at least what the process that started it had, whose growth would hide that of a
    small one; `VmHWM` is its own.
    """
    if OWN.exists():
        line = next(line for line in OWN.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
