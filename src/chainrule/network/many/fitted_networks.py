"""Networks that were trained together, with what each was given and how it went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.errors import SettingError, shortened
from chainrule.network.many.ensembles import together
from chainrule.network.network import Network
from chainrule.training import History
from chainrule.training.history import DIVERGED


@dataclass(frozen=True, eq=False, repr=False)
class FittedNetworks:
    """Networks trained together by `fit_many`, in order; it has a length and is gone through as a list is.

    Attributes
    ----------
    networks : tuple of Network
    settings : tuple of dict
        What each was given by `settings` and `seeds`, and as `network` its number where several were given.
    """

    networks: tuple[Network, ...]
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
            When nothing was validated, or nothing was learned before all was ended.
        """
        self._check_some()
        if not any("val_loss" in history for history in self.histories):
            raise SettingError(
                "the best network is the one with the smallest loss on validation data, of which there were none. Give fit_many "
                "validation_split=0.2, or validation_data."
            )
        return self.networks[int(np.argmin(self.losses))]

    def ensemble(self, best: int | None = None) -> Network:
        """One network whose predictions are the mean of what the networks predict; those that diverged are left out.

        Means are of probabilities where classes are told apart. `ensemble().uncertainty(X)` says how far the members are apart.

        Parameters
        ----------
        best : int, optional
            Take so many, those with the smallest loss on validation data; by default all.

        Raises
        ------
        SettingError
            When the networks are no rows of layers, their outputs do not mean the same, or nothing was learned.

        Examples
        --------
        >>> import numpy as np, chainrule as cr
        >>> X = np.linspace(-1, 1, 60)[:, None]
        >>> network = cr.Network([cr.Dense(8, "tanh"), cr.Dense(1)])
        >>> many = cr.fit_many(network, X, X[:, 0] ** 2, seeds=range(3), progress=False)
        >>> each = np.mean([one.predict(X) for one in many], axis=0)
        >>> bool(np.allclose(many.ensemble().predict(X), each, atol=1e-6))
        True
        """
        self._check_some()
        order = list(np.argsort(self.losses, kind="stable"))
        if best is not None:
            SettingError.unless_count("ensemble", "best", best, at_most=len(self))
            _ = self.best  # which says so where nothing was validated
            order = order[:best]
        return together([self.networks[i] for i in sorted(order) if np.isfinite(self.losses[i])])

    def _check_some(self) -> None:
        if not self.networks:
            raise SettingError(
                "there are no networks: fit_many was ended before one had learned for an epoch. Call it again."
            )

    def __repr__(self) -> str:
        """How many there are, how well they do, and which does best."""
        count = "1 network" if len(self) == 1 else f"{len(self):,} networks"
        finite = self.losses[np.isfinite(self.losses)]
        if not len(finite):
            return f"FittedNetworks({count})"
        name = "val_loss" if any("val_loss" in history for history in self.histories) else "loss"
        best = shortened(dict(self.settings[int(np.argmin(self.losses))]))
        last = f", the largest {finite.max():.4g}" if len(finite) > 1 else ""
        return f"FittedNetworks({count}; the smallest {name} {finite.min():.4g} with {best}{last})"

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
