"""Networks that were trained together, with what each was given and how it went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.errors import SettingError
from chainrule.network.network import Network
from chainrule.training import History
from chainrule.training.history import DIVERGED


@dataclass(frozen=True, eq=False)
class FittedNetworks:
    """Networks trained together by `fit_many`, in order; it has a length and is gone through as a list is.

    Attributes
    ----------
    networks : tuple of Network
    settings : tuple of dict
        What each was given by `settings` and `seeds`, and as `network` its number where several were given.
    """

    networks: tuple[Network, ...] = field(repr=False)
    settings: tuple[Mapping[str, Any], ...]

    @property
    def histories(self) -> list[History]:
        """How the training of each went."""
        return [network.history for network in self.networks if network.history is not None]

    @cached_property
    def losses(self) -> Any:
        """The loss of each with the weights that it has, on validation data where there are any; infinite where it diverged."""
        return np.array([_loss(history) for history in self.histories])

    @property
    def best(self) -> Network:
        """The network with the smallest loss on validation data.

        Raises
        ------
        SettingError
            When nothing was validated.
        """
        if not any("val_loss" in history for history in self.histories):
            raise SettingError(
                "the best network is the one with the smallest loss on validation data, of which there were none. Give fit_many "
                "validation_split=0.2, or validation_data."
            )
        return self.networks[int(np.argmin(self.losses))]

    def __len__(self) -> int:
        return len(self.networks)

    def __iter__(self) -> Iterator[Network]:
        return iter(self.networks)

    def __getitem__(self, place: int) -> Network:
        return self.networks[place]


def _loss(history: History) -> float:
    if history.stopped == DIVERGED or not history.epochs:
        return np.inf
    epoch = history.epochs - 1 if history.best_epoch is None else history.best_epoch
    value = float(history.column("val_loss" if "val_loss" in history else "loss")[epoch])
    return value if np.isfinite(value) else np.inf
