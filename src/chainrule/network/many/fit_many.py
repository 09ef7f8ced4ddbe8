"""Many networks trained in one call: over seeds and settings, at the same time."""

from __future__ import annotations

import inspect
import itertools
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from chainrule.engines.cores import most
from chainrule.errors import ArgumentError, DivergedError, SettingError, UnknownNameError, nearest, shortened
from chainrule.network.advice import NOT_TAKEN
from chainrule.network.many.fitted_networks import FittedNetworks
from chainrule.network.many.kinds import NUMBERS, Kind, kind_of
from chainrule.network.many.side_by_side import Job, trained
from chainrule.network.network import Network
from chainrule.training import Penalty, as_optimizer
from chainrule.training.between_epochs.progress import Display

ALONE = {
    "callbacks": "networks are trained side by side, in threads; fit them one by one, or give early_stopping",
    "record": "fit the network that is to be gone through by itself, record=True",
    "checkpoint": "fit a network by itself, checkpoint='run.ckpt'",
    "every": "it belongs to checkpoint, which fit takes",
    "continue_from": "fit a network by itself, continue_from=network.run",
}
"""Arguments of `fit` that are for one network, and what to do instead."""

DEFAULTS = {
    name: x.default
    for name, x in inspect.signature(Network.fit).parameters.items()
    if x.kind is x.KEYWORD_ONLY and name not in (*ALONE, "threads", "progress")
}
"""The arguments of `fit` that are taken here, and what they are by default."""


def fit_many(
    networks: Network | Sequence[Network],
    X: Any,
    y: Any = None,
    *,
    seeds: Iterable[int] | None = None,
    settings: Mapping[str, Iterable[Any]] | Sequence[Mapping[str, Any]] | None = None,
    threads: int | None = None,
    progress: bool | Display | None = None,
    **fit: Any,
) -> FittedNetworks:
    """Train many networks on the same data: every network with every setting from every seed.

    Each comes out as its own `fit` would leave it, to the bit. Those that differ in first weights, seeds, learning rates and
    penalties alone share data and machine code that are made ready once. Each is carried out by one thread at a time, so
    nothing is lost by waiting for one another, and nothing depends on how many threads there are.

    Parameters
    ----------
    networks : Network or sequence of Network
        They stay as they are; what is trained are copies.
    X, y : array-like, or X a dataset
        As for `fit`.
    seeds : integers, optional
        For each a network with first weights drawn from it, and rows in the order that it decides, as
        `cr.Network(layers, seed=s).fit(X, y, seed=s)`. Without it networks begin from the parameters that they have.
    settings : dict of lists, or list of dicts, optional
        Arguments of `fit` or numbers of the optimizer, by name: `{"learning_rate": [0.01, 0.001], "l2": [0.0, 1e-4]}` is all
        four together, `[{"l2": 0.0}, {"l2": 1e-4, "epochs": 50}]` those two.
    threads : int, optional
        How many networks are trained at the same time; by default as many as there are cores.
    progress : bool or object, optional
        Whether to show how many are done, or what is told by `update(networks, metrics)`.
    **fit
        As for `fit`. The rows of `validation_split` are drawn once, from the first seed, so that all are measured on the same.
        `callbacks`, `record`, `checkpoint` and `continue_from` are for one network.

    Returns
    -------
    FittedNetworks
        The networks in order, seeds within settings within networks. Ctrl-C, or SIGTERM, ends all; those under way keep what
        they learned, and those not begun are left out.

    Raises
    ------
    DataError, ShapeError, SettingError, UnknownNameError
        When data or settings are refused; the message says why and what to do.
    DivergedError
        When all networks diverge. Of some that do a warning tells.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> X = np.linspace(-1, 1, 60)[:, None]
    >>> network = cr.Network([cr.Dense(8, "tanh"), cr.Dense(1)])
    >>> rates = {"learning_rate": [0.1, 0.01]}
    >>> many = cr.fit_many(network, X, X**2, seeds=range(5), settings=rates, validation_split=0.2, progress=False)
    >>> len(many), many.settings[-1], many.best is many.networks[many.losses.argmin()]
    (10, {'learning_rate': 0.01, 'seed': 4}, True)
    """
    begun = _networks(networks)
    combined = _combinations(settings)
    asked = [_asked(setting, fit) for setting in combined]
    drawn = _seeds(seeds, fit, combined)
    if threads is not None:
        SettingError.unless_count("fit_many", "threads", threads)
    count = len(begun) * len(asked) * len(drawn)
    threads = most() if threads is None else threads
    first = {} if drawn[0] is None else {"seed": drawn[0]}
    kinds: dict[Any, Kind] = {}
    jobs = []
    for number, network in enumerate(begun):
        kind, told = kind_of(network), {"network": number} if len(begun) > 1 else {}
        for setting, given in asked:
            names = [name for name in ("l1", "l2") if given[name]]
            key = kind, *(id(setting[name]) for name in sorted(setting) if name not in NUMBERS), *names
            if key not in kinds:
                kinds[key] = Kind(network, X, y, {**given, **first, "threads": max(1, threads // count)})
            for seed in drawn:
                own = told | setting if seed is None else {**told, **setting, "seed": seed}
                jobs.append(Job(kinds[key], network, seed, given, own))
    return _fitted(jobs, threads, progress)


def _fitted(jobs: Sequence[Job], threads: int, progress: bool | Display | None) -> FittedNetworks:
    """All of them trained, as far as nobody ends them."""
    found = trained(jobs, threads, progress)
    kept = [place for place in sorted(found) if _begun(*found[place])]
    errors = {n: error for n, place in enumerate(kept) if (error := found[place][1]) is not None}
    if errors and len(errors) == len(kept):
        raise errors[0]
    if errors:
        warnings.warn(
            f"{len(errors)} of {len(kept)} networks diverged, and have the last finite weights: {shortened(list(errors))}. "
            f"The first: {errors[min(errors)]}",
            RuntimeWarning,
            stacklevel=3,
        )
    return FittedNetworks(tuple(found[place][0] for place in kept), tuple(dict(jobs[place].told) for place in kept))


def _begun(network: Network, error: DivergedError | None) -> bool:
    """Whether it has learned anything, or has diverged: what was ended before its first epoch is left out."""
    return error is not None or (network.history is not None and network.history.epochs > 0)


def _networks(given: Any) -> list[Network]:
    networks = [given] if isinstance(given, Network) else list(given) if isinstance(given, list | tuple) else []
    if not networks or not all(isinstance(network, Network) for network in networks):
        raise SettingError(
            f"fit_many was given networks={shortened(given)}; give a network, or a list of them: cr.Network([cr.Dense(1)])."
        )
    return networks


def _seeds(given: Any, fit: Mapping[str, Any], settings: Sequence[Any]) -> list[int | None]:
    if given is None:
        return [None]
    seeds = _several(given)
    if seeds is None:
        raise SettingError(f"fit_many was given seeds={shortened(given)}; give several, such as range(10).")
    for seed in seeds:
        SettingError.unless_count("fit_many", "seeds", seed, at_least=0, at_most=2**128)
    if not seeds:
        raise SettingError("fit_many was given seeds without any in them; give one or more, such as range(10).")
    if "seed" in fit or any("seed" in row for row in settings):
        raise SettingError("fit_many was given seed and seeds; give one of them.")
    return [int(seed) for seed in seeds]


def _several(given: Any) -> list[Any] | None:
    """What is in a list or anything else that can be gone through, which may be possible once only; `None` for one thing."""
    if (
        isinstance(given, str | bytes | Mapping)
        or not isinstance(given, Iterable)
        or getattr(given, "shape", None) == ()
    ):
        return None
    return list(given)


def _combinations(settings: Any) -> list[dict[str, Any]]:
    """What is to be tried, one dict of settings each."""
    if settings is None:
        return [{}]
    if isinstance(settings, Mapping):
        lists = {name: _several(values) or [] for name, values in settings.items()}
        for name, values in lists.items():
            if not values:
                raise SettingError(
                    f"fit_many was given settings with {name!r}: {shortened(settings[name])}; give a list of values, such as "
                    "{'learning_rate': [0.01, 0.001]}."
                )
        return [dict(zip(lists, values, strict=True)) for values in itertools.product(*lists.values())]
    if isinstance(settings, list | tuple) and settings and all(isinstance(own, Mapping) for own in settings):
        return [dict(own) for own in settings]
    raise SettingError(
        f"fit_many was given settings={shortened(settings)}; give lists of values by name, such as "
        "{'learning_rate': [0.01, 0.001]}, or a list of dicts."
    )


def _asked(setting: dict[str, Any], fit: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A setting, and with it all arguments of `fit`, checked as far as they are numbers."""
    for name in (*fit, *setting):
        if name in ALONE:
            raise ArgumentError(f"fit_many takes no {name!r}: {ALONE[name]}.")
    given = {**DEFAULTS, **fit, **{name: x for name, x in setting.items() if name in DEFAULTS}}
    optimizer = as_optimizer(given["optimizer"])
    of_optimizer = {field.name for field in fields(optimizer)}
    for name in fit:
        if name not in DEFAULTS:
            advice = NOT_TAKEN.get(name, f"it takes {', '.join(DEFAULTS)}")
            raise ArgumentError(f"fit_many takes no {name!r}{nearest(name, list(DEFAULTS))}: {advice}.")
    for name in setting:
        if name not in DEFAULTS and name not in of_optimizer:
            raise UnknownNameError.among("setting", name, [*DEFAULTS, *of_optimizer])
    own = {name: x for name, x in setting.items() if name in of_optimizer and name not in DEFAULTS}
    given["optimizer"] = replace(optimizer, **own) if own else optimizer
    if callable(given["shuffle"]):
        raise SettingError(
            "fit_many was given a function as shuffle; give True or False, for several threads would call it."
        )
    Penalty(given["l1"], given["l2"])
    SettingError.unless_count("fit_many", "epochs", given["epochs"])
    return setting, given
