"""A network of a table's that is being learned, in a file from time to time, so that a killed training goes on within it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import MissingFileError, ModelFileError
from chainrule.network import Network
from chainrule.network.files.checkpoints import LastThree, check_parts, names_of, newest
from chainrule.network.files.runs import values_of
from chainrule.network.files.storage import content_of, description_of
from chainrule.network.loading import network_in
from chainrule.nn.parameters import flat_names
from chainrule.training import EpochEnd

SECONDS = 30.0
"""About so much of a network's training is lost when it is killed."""

PARTS: dict[str, type] = {"run": dict, "seen": dict}
"""What is said of it, by names: where the training stands, and what has been seen of the rows held out."""

SEEN: dict[str, dict[str, Any]] = {
    "best": {"least": tuple, "kept": tuple | None, "losses": list},
    "unseen": {"least": list, "said": np.ndarray},
}
"""What `Best` and `Unseen` say of themselves."""


class UnderWay:
    """The moments of one network's training. They are written by the training itself, after an epoch and less than every 30 s.

    Whoever begins again without them learns the same, so what is damaged or cannot be written is told and ends nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._files = path, LastThree(path)
        self._written, self._fails = time.monotonic(), False

    def begun(self) -> tuple[Network, dict[str, Any]] | None:
        """The network with its run as it was at the last moment, and what had been seen; `None` if there is none."""
        try:
            found = newest(self._path, PARTS)
            network, said = network_in(found.path, found.described, found.arrays, None, {}, "cr.load(path")
            check_parts(found.path, said, PARTS)
            check_parts(found.path, said["seen"], dict.fromkeys(SEEN, dict))
            for name, kinds in SEEN.items():
                check_parts(found.path, said["seen"][name], kinds)
        except MissingFileError:
            return None
        except ModelFileError as error:
            warnings.warn(f"{error} This network is learned from its beginning.", RuntimeWarning, stacklevel=2)
            self.remove()
            return None
        if found.damaged:
            warnings.warn(
                f"{' '.join(found.damaged)} {found.path.name}, which was kept before it, is taken.",
                RuntimeWarning,
                stacklevel=2,
            )
        return network, said["seen"]

    def note(self, network: Network, end: EpochEnd, seen: Mapping[str, Any], *, at_once: bool) -> None:
        """Write the moment after an epoch, if it is time or has to be done at once."""
        if not at_once and time.monotonic() - self._written < SECONDS:
            return
        run = end.run
        content = content_of(description_of(network, {}), flat_names(run.left), {"run": values_of(run), "seen": seen})
        try:
            self._files.write(content, in_place=False)
            self._fails = False
        except OSError as error:
            if not self._fails:
                warnings.warn(
                    f"a network under way could not be written: {error}. Training goes on, and it is tried again.",
                    RuntimeWarning,
                    stacklevel=2,
                )
            self._fails = True
        self._written = time.monotonic()

    def remove(self) -> None:
        """Take the files away, when the network is learned."""
        for name in names_of(self._path):
            with suppress(OSError):
                name.unlink()
