"""What an installation needs: the library the compiler uses only where there is one to install, else NumPy does the work.

`pyproject.toml` names the systems that there are wheels of llvmlite for, by the conditions that such a file can have. What
these cannot say is found out here, where the installation is built: wheels are for the C library glibc and not for musl,
and for Python without its lock from 3.14 on only.
"""

from __future__ import annotations

import sys
import sysconfig
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


def has_wheels() -> bool:
    """Whether this Python can have llvmlite's wheels where its system and CPU can."""
    musl = "musl" in str(sysconfig.get_config_var("HOST_GNU_TYPE"))
    without_lock = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    return not musl and not (without_lock and sys.version_info < (3, 14))


class Dependencies(MetadataHookInterface):
    """Gives the project its dependencies."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Write them into the metadata."""
        more = self.config["where-there-are-wheels"] if has_wheels() else []
        metadata["dependencies"] = [*self.config["dependencies"], *more]
