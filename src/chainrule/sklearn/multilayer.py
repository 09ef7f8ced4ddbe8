"""What multilayer perceptrons for classification and regression share: the fit, and looking into a fitted network."""

from __future__ import annotations

import warnings
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
import scipy.optimize
from sklearn.base import BaseEstimator, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, validate_data

from chainrule.errors import DivergedError
from chainrule.network import Network
from chainrule.network.fitting import assemble, carry_out
from chainrule.network.meaning import Meaning
from chainrule.nn.model import Outcome
from chainrule.sklearn.callbacks import CallbackSupportMixin, Told
from chainrule.sklearn.epochs import LOWER, Epochs, Watch
from chainrule.sklearn.fitted import FittedNetwork, dense_rows
from chainrule.sklearn.parameters import draw, hidden_sizes, layers_of, solver_of
from chainrule.sklearn.shared_orders import orders_for
from chainrule.sklearn.solvers import InverseScaling
from chainrule.training import Batch, Head, Loss, Objective, Penalty, Settings
from chainrule.training.steps.full_batch import FullBatchObjective

LINKS = {"sigmoid": "logistic"}
"""scikit-learn's names of output activations, where they differ."""


class BaseMultilayerPerceptron(CallbackSupportMixin, FittedNetwork, BaseEstimator):
    """The common part of `MLPClassifier` and `MLPRegressor`, which say what targets and outputs are."""

    # --- what the two say

    def _validated(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Any]:
        raise NotImplementedError

    def _objective_of(self, y: Any) -> tuple[Loss, int]:
        """The loss, and how many outputs it needs for such targets."""
        raise NotImplementedError

    def _encoded(self, y: Any, loss: Loss) -> Any:
        raise NotImplementedError

    def _weights(self, y: Any, sample_weight: Any) -> Any:
        return sample_weight

    def _score_of(self, predicted: Any, y: Any, sample_weight: Any) -> float:
        raise NotImplementedError

    # --- learning

    def _fit(
        self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None, incremental: bool = False
    ) -> Any:
        if self.early_stopping and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        hidden = hidden_sizes(self.hidden_layer_sizes)
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        X, y = self._validated(X, y, incremental, reset=first)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X)
        weights = self._weights(y, sample_weight)
        random = check_random_state(self.random_state)
        if first:
            self._begin(X, y, hidden, random)
        else:
            self._current()
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        told = Told(self, X, y, metadata, self.max_iter)
        if self.solver == "lbfgs" and self.optimizer is None:
            self._fit_full_batch(X, y, weights)
        else:
            self._fit_epochs(X, y, weights, validation_data, random, told, incremental)
        self._take(self.network_.parameters)
        told.fit_ends()
        return self

    def _begin(self, X: Any, y: Any, hidden: list[int], random: Any) -> None:
        """A network with first weights, and attributes as before the first epoch."""
        loss, outputs = self._objective_of(y)
        layers = layers_of(X.shape[1], hidden, outputs, self.activation, self.dropout)
        network = Network(layers, dtype=X.dtype).build(X.shape[1])
        network.parameters = draw(network.layers, random, network.parameters)
        head = Head("", loss, outputs)
        network.meanings = [Meaning(head, getattr(self, "_labels", None), y.ndim == 1)]
        self.network_ = network
        self._take(network.parameters)
        self.n_iter_ = self.t_ = 0
        self.n_outputs_, self.n_layers_ = outputs, len(hidden) + 2
        self.out_activation_ = LINKS.get(loss.link, loss.link)
        self._watch = Watch()
        if self.solver != "lbfgs" or self.optimizer is not None:
            self.loss_curve_: list[float] = []
            self.best_loss_ = None if self.early_stopping else np.inf
            self.validation_scores_: list[float] | None = None
            self.validation_loss_curve_: list[float] | None = None
            self.best_validation_score_: float | None = None

    def _fit_epochs(
        self, X: Any, y: Any, weights: Any, validation_data: Any, random: Any, told: Told, incremental: bool
    ) -> None:
        validation = None
        if validation_data is not None:
            validation = (*self._checked_pair(validation_data), None)
        elif self.early_stopping:
            X, y, weights, validation = self._split(X, y, weights, random)
        if validation is not None and self.validation_scores_ is None:
            self.validation_scores_, self.validation_loss_curve_, self.best_validation_score_ = [], [], -np.inf
        rows = X.shape[0]
        batch_size = self._batch_size(rows)
        seed, orders = random.randint(2**31 - 1) if np.any(self.dropout) else 0, None
        if self.shuffle and batch_size < rows:
            orders = orders_for(random, rows, private=isinstance(self.random_state, Integral))
        run = self.network_.run if incremental else None
        progress = None if run is None else run.progress
        if progress is None:
            self._watch.rate = self.learning_rate_init
        data = self._batch(X, y, weights)
        judge = None if validation is None else partial(self._judged, self._batch(*validation), *validation[1:])
        self._watch.adaptive = self._rate_rule == "adaptive"
        epochs = Epochs(self, self._watch, rows, self._take, judge, told)
        self.n_iter_ = 0
        told.epoch_begins()
        while True:
            settings = Settings(
                epochs=1 if incremental else self.max_iter - self.n_iter_,
                batch_size=batch_size,
                seed=seed + self.n_iter_,
                shuffle=False if orders is None else orders,
                engine=self.engine,
                threads=self.threads,
                progress=False,
                **epochs.settings(),
            )
            optimizer = solver_of(self, self._schedule(rows, incremental))
            training = assemble(
                self.network_,
                self.network_.meanings,
                data,
                settings,
                optimizer,
                Penalty(l2=self.alpha, shared=True),
                begin=progress,
            )
            try:
                history = carry_out(self.network_, training)
            except DivergedError as error:
                raise ValueError(
                    "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
                    f"preprocessed. ({error})"
                ) from error
            progress = training.now().progress
            if history.stopped != LOWER or self.n_iter_ == self.max_iter or incremental:
                break
        if self._rate_rule == "invscaling":
            self._watch.rate = self.learning_rate_init / (self.t_ + 1) ** self.power_t
        self._warn(history.stopped, incremental)
        if self.early_stopping and epochs.best is not None:
            self.network_.parameters = epochs.best

    def _warn(self, stopped: str, incremental: bool) -> None:
        if stopped == "interrupted":
            warnings.warn("Training interrupted by user.", stacklevel=2)
        elif stopped in ("finished", LOWER) and not incremental:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the optimization hasn't converged "
                "yet.",
                ConvergenceWarning,
                stacklevel=2,
            )

    @property
    def _rate_rule(self) -> str:
        """How the learning rate changes; only that of the solver 'sgd' does."""
        return str(self.learning_rate) if self.solver == "sgd" and self.optimizer is None else "constant"

    def _schedule(self, rows: int, incremental: bool) -> Any:
        if self._rate_rule == "invscaling" and not incremental:
            return InverseScaling(self._watch.rate, self.power_t, rows, self.t_)
        return self._watch.rate

    def _batch_size(self, rows: int) -> int:
        if isinstance(self.batch_size, str):
            return min(200, rows)
        if self.batch_size > rows:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=2
            )
        return int(np.clip(self.batch_size, 1, rows))

    def _split(self, X: Any, y: Any, weights: Any, random: Any) -> tuple[Any, Any, Any, Any]:
        """The rows to learn from, and those to be scored on."""
        stratify = y if is_classifier(self) and self.n_outputs_ == 1 else None
        given = [X, y] if weights is None else [X, y, weights]
        parts = train_test_split(*given, random_state=random, test_size=self.validation_fraction, stratify=stratify)
        X, X_held, y, y_held, *rest = parts
        if X_held.shape[0] < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        weights, held = rest or (None, None)
        return X, y, weights, (X_held, y_held, held)

    def _checked_pair(self, pair: Any) -> tuple[Any, Any]:
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise ValueError("validation_data must be a pair (X, y).")
        X = validate_data(self, pair[0], accept_sparse=["csr", "csc"], dtype=(np.float64, np.float32), reset=False)
        y = np.asarray(pair[1])
        if len(y) != X.shape[0]:
            raise ValueError(f"validation_data has {X.shape[0]} rows in X and {len(y)} in y.")
        return X, y

    def _batch(self, X: Any, y: Any, weights: Any = None) -> Batch:
        """Rows as the network takes them; every batch is divided by the sum of its weights, as scikit-learn does."""
        dtype = self.network_.dtype
        weights = None if weights is None else np.ascontiguousarray(weights, dtype)
        encoded = self._encoded(y, self._head.loss)
        if encoded.dtype.kind == "f":
            encoded = np.ascontiguousarray(encoded, dtype)
        return Batch((np.ascontiguousarray(dense_rows(X), dtype),), (encoded,), (None,), counts=weights)

    def _fit_full_batch(self, X: Any, y: Any, weights: Any) -> None:
        """L-BFGS, in float64, on all rows at once."""
        if np.any(self.dropout):
            raise ValueError(
                "dropout is for the solvers 'sgd' and 'adam'; 'lbfgs' needs the same objective every time."
            )
        batch = self._batch(X, y, weights)
        wide = batch.like([x.astype(np.float64) if x.dtype.kind == "f" else x for x in batch.arrays()])
        network = self.network_
        parameters = {
            layer: {name: value.astype(np.float64) for name, value in own.items()}
            for layer, own in network.parameters.items()
        }
        objective = Objective(network.model, (self._head,), Penalty(l2=self.alpha, shared=True))
        full_batch = FullBatchObjective(objective, parameters, wide, self.engine)
        result = scipy.optimize.minimize(
            full_batch,
            full_batch.start,
            method="L-BFGS-B",
            jac=True,
            options={"maxfun": self.max_fun, "maxiter": self.max_iter, "gtol": self.tol},
        )
        self.n_iter_ = min(result.nit, self.max_iter)
        self.loss_ = result.fun
        if result.status != 0:
            warnings.warn(
                f"lbfgs failed to converge after {self.n_iter_} iteration(s) (status={result.status}):\n{result.message}\n\n"
                f"Increase the number of iterations (max_iter={self.max_iter}) or scale the data.",
                ConvergenceWarning,
                stacklevel=2,
            )
        if not np.isfinite(result.x).all():
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
                "preprocessed."
            )
        network.parameters = full_batch.parameters(result.x)

    def _judged(self, held: Batch, y: Any, weights: Any) -> tuple[float, float]:
        """Loss, penalty left out, and score on rows that are not learned from."""
        outputs = self.network_(held.inputs[0])
        with np.errstate(all="ignore"):
            losses = self._head.loss(outputs, held.targets[0])
        meaning = self.network_.meanings[0]
        predicted = meaning.named(meaning.answer(Outcome(outputs, {}, ()), outputs))
        return float(np.average(losses, weights=weights)), self._score_of(predicted, y, weights)

    # --- the network and its weights

    @property
    def _head(self) -> Head:
        head: Head = self.network_.meanings[0].head
        return head

    def _take(self, parameters: Any) -> None:
        """Make these the network's parameters, and the arrays of `coefs_` and `intercepts_`."""
        if parameters is not self.network_.parameters:
            self.network_.parameters = parameters
        own = self.network_.parameters.values()
        self.coefs_ = [layer["weight"] for layer in own]
        self.intercepts_ = [layer["bias"] for layer in own]

    def _current(self) -> Network:
        """The network with the weights in `coefs_` and `intercepts_`, which a user may have set."""
        network: Network = self.network_
        given = zip(network.parameters.items(), self.coefs_, self.intercepts_, strict=True)
        changed = {
            name: {"weight": coef, "bias": intercept}
            for (name, own), coef, intercept in given
            if own["weight"] is not coef or own["bias"] is not intercept
        }
        if changed:
            network.parameters = changed
            self._take(network.parameters)
        return network


def learns_by_epochs(estimator: Any) -> bool:
    """Whether the solver takes batches, so that there is a `partial_fit`; says so in an error if not."""
    if estimator.solver == "lbfgs" and estimator.optimizer is None:
        raise AttributeError(
            f"partial_fit is only available for stochastic optimizers. {estimator.solver} is not stochastic."
        )
    return True
