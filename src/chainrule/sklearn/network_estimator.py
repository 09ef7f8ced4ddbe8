"""What `NetworkClassifier` and `NetworkRegressor` share: a network as a pattern, with settings that can be searched."""

from __future__ import annotations

import dataclasses
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from chainrule.engines import Engine
from chainrule.engines.choice import names
from chainrule.network import Network
from chainrule.network.copying import renewed
from chainrule.network.fitting import carry_out, training_for
from chainrule.network.meaning import as_batch
from chainrule.nn.layers import Dense
from chainrule.nn.model import Sequential
from chainrule.sklearn.fitted import FittedNetwork, dense_rows
from chainrule.sklearn.nested import NestedParameters
from chainrule.training import (
    LOSSES,
    OPTIMIZERS,
    Batch,
    Clipping,
    EarlyStopping,
    Loss,
    Optimizer,
    Penalty,
    Settings,
    as_early_stopping,
)
from chainrule.training.named import OTHER_NAMES


class BaseNetworkEstimator(FittedNetwork, NestedParameters):
    """The common part of `NetworkClassifier` and `NetworkRegressor`."""

    _nested: ClassVar[tuple[str, ...]] = ("network", "optimizer", "loss")

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "network": [Network, None],
        "loss": [StrOptions({*LOSSES, *OTHER_NAMES}), Loss, callable, None],
        "optimizer": [StrOptions(set(OPTIMIZERS)), Optimizer],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "shuffle": ["boolean"],
        "validation_split": [Interval(Real, 0, 1, closed="left")],
        "early_stopping": [EarlyStopping, Interval(Integral, 1, None, closed="left"), "boolean", None],
        "l1": [Interval(Real, 0, None, closed="left")],
        "l2": [Interval(Real, 0, None, closed="left")],
        "clip_value": [Interval(Real, 0, None, closed="neither"), None],
        "clip_norm": [Interval(Real, 0, None, closed="neither"), None],
        "metrics": [str, callable, list, tuple],
        "callbacks": [list, tuple],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "engine": [StrOptions(set(names())), Engine],
        "threads": [Interval(Integral, 1, None, closed="left"), None],
        "verbose": ["verbose"],
    }

    loss_curve_: list[float]

    # --- learning

    def _fit(
        self,
        X: Any,
        y: Any,
        outputs: int,
        loss: Any,
        sample_weight: Any,
        validation_data: Any = None,
        *,
        incremental: bool = False,
    ) -> Any:
        """Learn from checked rows and encoded targets; incremental is one more epoch, with the optimizer as it is.

        Ctrl-C leaves what was learned so far in the attributes and goes on as KeyboardInterrupt, so that a search does not
        take an estimator that was stopped halfway for a fitted one.
        """
        known = hasattr(self, "network_") and (self.warm_start or incremental)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        if not known:
            self.network_ = _with_outputs(self.network, outputs, loss, seed, X.dtype)
            seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        run = self.network_.run if incremental else None
        settings = Settings(
            epochs=1 if incremental else self.max_iter,
            batch_size=self.batch_size,
            seed=seed if run is None else (seed + run.steps) % 2**31,
            shuffle=bool(self.shuffle),
            engine=self.engine,
            threads=self.threads,
            early_stopping=None if incremental else as_early_stopping(self.early_stopping),
            callbacks=self.callbacks,
            frozen=self.network_.frozen,
            progress=bool(self.verbose),
        )
        training = training_for(
            self.network_,
            dense_rows(X),
            y,
            settings,
            loss=loss,
            optimizer=self.optimizer,
            penalty=Penalty(self.l1, self.l2),
            clipping=Clipping(self.clip_value, self.clip_norm),
            validation_data=validation_data,
            validation_split=0.0 if incremental else self.validation_split,
            sample_weight=sample_weight,
            class_weight=None,
            continue_from=None if run is None else run.progress,
            metrics=() if incremental else self.metrics,
        )
        history = carry_out(self.network_, training)
        self.history_ = history
        earlier: list[float] = self.loss_curve_ if incremental and known else []
        self.loss_curve_ = [*earlier, *(history["loss"] if history.epochs else [])]
        self.n_iter_ = len(self.loss_curve_)
        self.validation_loss_curve_ = history.metrics.get("val_loss")
        if history.stopped == "interrupted":
            raise KeyboardInterrupt(
                f"the fit was stopped by Ctrl-C after {history.epochs} of {settings.epochs} epochs; network_ has what it learned."
            )
        return self

    def _batch(self, X: Any, y: Any, weights: Any = None) -> Batch:
        network = self.network_
        X = np.ascontiguousarray(dense_rows(X), network.dtype)
        return as_batch(network.model, network.meanings, [X], self._targets(y), network.dtype, weights)


def _with_outputs(given: Network | None, outputs: int, loss: Any, seed: int, dtype: Any) -> Network:
    """A fresh network like the one given, whose last dense layer has as many neurons as the targets ask for."""
    if given is None:
        return Network([Dense(100, "relu"), Dense(outputs)], seed=seed, dtype=dtype)
    seed = given.seed if given.is_built else seed
    function = given.function
    if given.is_built or not isinstance(function, Sequential):
        return renewed(given, seed=seed, dtype=dtype)
    places = [i for i, layer in enumerate(function.layers) if isinstance(layer, Dense)]
    if not places:
        return renewed(given, seed=seed, dtype=dtype)
    last = function.layers[places[-1]]
    two = outputs == 1 and last.units == 2 and getattr(loss, "link", "") == "softmax"
    if last.units == outputs or two:
        return renewed(given, seed=seed, dtype=dtype)
    layers = [*function.layers]
    layers[places[-1]] = dataclasses.replace(last, units=outputs)
    return renewed(given, Sequential(tuple(layers)), seed=seed, dtype=dtype)
