"""Going on with a training that was kept in a checkpoint."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from chainrule.engines import Engine
from chainrule.engines.choice import AUTO, leads
from chainrule.errors import ModelFileError, SettingError
from chainrule.network.answers.measuring import Asked, as_metrics, is_known, metric_name
from chainrule.network.files.checkpoints import PARTS, Kept, check_parts, has_ended, is_whole, newest
from chainrule.network.files.holding import held, tidy
from chainrule.network.files.storage import as_path
from chainrule.network.loading import check_code, network_in
from chainrule.network.meaning import nested
from chainrule.network.network import Network
from chainrule.training.between_epochs.callbacks import unless_callbacks
from chainrule.training.between_epochs.progress import Display
from chainrule.training.between_epochs.states import Unkept, name_of
from chainrule.training.history import DIVERGED, FINISHED


def resume(
    path: str | Path,
    X: Any,
    y: Any = None,
    *,
    validation_data: Sequence[Any] | None = None,
    sample_weight: Any = None,
    callbacks: Sequence[Callable[..., Any]] = (),
    metrics: Sequence[Asked] | Asked = (),
    epochs: int | None = None,
    every: int | str | timedelta | None = None,
    engine: str | Engine | None = None,
    threads: int | None = None,
    progress: bool | Display | None = None,
    function: Callable[..., Any] | None = None,
    custom: Mapping[str, Any] | None = None,
) -> Network:
    """Go on with the training that `fit(..., checkpoint=path)` kept, to the bits that it would have ended with.

    Parameters
    ----------
    path : str or Path
        What `checkpoint` was. If that file is damaged, which a warning tells, the one kept before is taken. It is kept on.
    X, y, validation_data, sample_weight
        The same data as `fit` was given; a `Dataset` has all of them itself.
    callbacks : sequence of callables
        Those that `fit` was given, in their order, for code is not in the file; those with a state are given theirs by
        `load_state_dict(state)`.
    metrics : sequence of str or callables
        Those that `fit` was given, if there were functions among them.
    epochs : int, optional
        All epochs, those that are done included; by default as many as `fit` was given.
    every, engine, threads, progress
        As for `fit`, whose are taken where none are given. Another engine gives other bits.
    function, custom
        Code of yours as for `load`: the function that the network is made of; and by their names your own layers, losses,
        optimizers, schedules and functions.

    Returns
    -------
    Network
        After the training; with `history` and `run`.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ModelFileError
        When no moment that was kept can be read, or the file needs code it was not given.
    SettingError
        When the data, callbacks or settings are others than the checkpoint's, or another training writes it; the message says
        which.

    Examples
    --------
    >>> import os, tempfile, numpy as np, chainrule as cr
    >>> X, path = np.linspace(-1, 1, 50)[:, None], os.path.join(tempfile.mkdtemp(), "run.ckpt")
    >>> stopped, whole = cr.Network([cr.Dense(1)]), cr.Network([cr.Dense(1)])
    >>> stopped_at_once = {"callbacks": [lambda end: 1 / 0]}
    >>> try:
    ...     _ = stopped.fit(X, 2 * X, checkpoint=path, progress=False, **stopped_at_once)
    ... except ZeroDivisionError:
    ...     again = cr.resume(path, X, 2 * X, callbacks=[lambda end: None], progress=False)
    >>> whole.fit(X, 2 * X, progress=False)["loss"] == again.history["loss"]
    True
    """
    path = as_path(path)
    check_code("resume", function, custom)
    unless_callbacks(callbacks)
    found = newest(path)
    if found.damaged:
        warnings.warn(
            f"{' '.join(found.damaged)} {found.path.name}, which was kept before it, is taken.",
            RuntimeWarning,
            stacklevel=2,
        )
    network, says = network_in(
        found.path, found.described, found.arrays, function, custom or {}, f"cr.resume({str(path)!r}, X, y"
    )
    check_parts(found.path, says, PARTS)
    _check_given(found, says, validation_data, sample_weight, callbacks)
    _check_metrics(found, says["fit"].get("metrics", ()), as_metrics(metrics))
    stopped = FINISHED if network.history is None else network.history.stopped
    if has_ended(stopped) and stopped != DIVERGED:  # which comes to the same again, and says so
        tidy(path)
        _give_states(callbacks, says["states"])
        return network
    again: dict[str, Any] = {
        "epochs": epochs,
        "every": every,
        "engine": engine,
        "threads": threads,
        "metrics": as_metrics(metrics) or None,
    }
    given = {
        **says["fit"],
        "epochs": says["epochs"],
        **{name: value for name, value in again.items() if value is not None},
    }
    loss = nested(network.model, [meaning.head.loss for meaning in network.meanings])
    is_done = is_whole(network.run, given["epochs"])
    if is_done:
        tidy(path)
    written = path if leads(given.get("engine", AUTO)) and not is_done else None
    with held(written):  # before callbacks are changed, whose files another training may write
        _give_states(callbacks, says["states"])
        network.fit(
            X, y, loss=loss, validation_data=validation_data, sample_weight=sample_weight, callbacks=callbacks, progress=progress,
            continue_from=network.run, checkpoint=path, **given,
        )  # fmt: skip
    return network


def _give_states(callbacks: Sequence[Any], states: Sequence[Any]) -> None:
    for callback, state in zip(callbacks, states, strict=True):
        if isinstance(state, Unkept):
            warnings.warn(
                f"{state.reason} So that callback begins anew, and the training may end otherwise than it would have.",
                RuntimeWarning,
                stacklevel=3,
            )
        elif state is not None:
            callback.load_state_dict(state)


def _check_metrics(found: Kept, kept: Any, given: Sequence[Asked]) -> None:
    """Refuse other metrics, and functions that are not there."""
    names = [metric_name(one) for one in given]
    if given and names != list(kept):
        raise SettingError(
            f"{found.path} was kept by a training with the metrics {list(kept)}, and resume was given {names}; give the same."
        )
    own = [name for name in kept if not is_known(name)]
    if own and not given:
        raise SettingError(
            f"{found.path} was kept by a training with the function {own[0]!r} among its metrics. Code is not stored; give "
            f"metrics as fit was given them: cr.resume(path, X, y, metrics=[…])."
        )


def _check_given(
    found: Kept, says: Mapping[str, Any], validation_data: Any, sample_weight: Any, callbacks: Sequence[Any]
) -> None:
    """Refuse where something is missing that is in no file."""
    data, fit = says["data"], says["fit"]
    needed = {
        "validation_data": ("validation X" in data and not fit.get("validation_split"), validation_data),
        "sample_weight": (bool(data.get("weights")) and fit.get("class_weight") is None, sample_weight),
    }
    missing = [name for name, (is_needed, value) in needed.items() if is_needed and value is None]
    if missing:
        raise SettingError(
            f"{found.path} was kept by a training with {' and '.join(missing)}, of which the numbers are not stored. Give "
            f"{'them' if len(missing) > 1 else 'it'} as fit was given: cr.resume(path, X, y, {missing[0]}=…)."
        )
    names = [name_of(callback) for callback in callbacks]
    if names != says["callbacks"]:
        raise SettingError(
            f"{found.path} was kept by a training with the callbacks {says['callbacks']}, and resume was given {names}. Code is "
            "not stored; give callbacks of the same names, in the same order: cr.resume(path, X, y, callbacks=[…])."
        )
    if len(says["states"]) != len(names):
        raise ModelFileError(
            f"{found.path} describes no training: {len(names)} callbacks have {len(says['states'])} states in it. Give "
            "another name, or begin anew with fit."
        )
    for name, callback, state in zip(names, callbacks, says["states"], strict=True):
        if not isinstance(state, Unkept | None) and not callable(getattr(callback, "load_state_dict", None)):
            raise SettingError(
                f"{found.path} has a state of the callback {name}, which has no load_state_dict(state) to be given it; write one."
            )
