"""Asking a fitted network, in scikit-learn's manner, and looking into it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.sparse
from sklearn.utils.validation import check_is_fitted, validate_data

from chainrule.autodiff import grad
from chainrule.network import Network
from chainrule.nn.layers import Dense
from chainrule.training import Batch, Head, Objective
from chainrule.training.evaluation import in_chunks


def dense_rows(X: Any) -> Any:
    """Rows as an array, also where they came as a sparse matrix."""
    return X.toarray() if scipy.sparse.issparse(X) else X


def _is_plain(X: Any) -> bool:
    """Whether rows are as a network wants them; scikit-learn's own look at a row takes longer than its prediction."""
    real = type(X) is np.ndarray and X.ndim == 2 and X.dtype in (np.float64, np.float32)
    return real and X.size > 0 and math.isfinite(X.sum())


class FittedNetwork:
    """An estimator whose fit leaves a network in `network_`."""

    network_: Network
    n_features_in_: int

    def _current(self) -> Network:
        return self.network_

    def _batch(self, X: Any, y: Any, weights: Any = None) -> Batch:
        raise NotImplementedError

    def _targets(self, y: Any) -> Any:
        """Targets as the network was given them."""
        return y

    @property
    def _head(self) -> Head:
        head: Head = self.network_.meanings[0].head
        return head

    def _rows(self, X: Any) -> Any:
        """Rows, checked against those that were learned from."""
        check_is_fitted(self)
        if _is_plain(X) and X.shape[1] == self.n_features_in_ and not hasattr(self, "feature_names_in_"):
            return X
        return validate_data(self, X, accept_sparse=["csr", "csc"], dtype="numeric", reset=False)

    def _ask(self, method: Any, X: Any) -> Any:
        """What a method of the network gives for rows; for sparse ones by and by."""
        X = self._rows(X)
        network = self._current()
        if not scipy.sparse.issparse(X):
            return method(network, X)
        X = X.tocsr()
        parts = in_chunks(X.shape[0], lambda: network.keeps_rows_apart(method.__name__))
        return np.concatenate([method(network, X[part].toarray()) for part in parts])

    def hidden_activations(self, X: Any) -> list[Any]:
        """Activations of the hidden layers.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        activations : list of ndarrays of shape (n_samples, n_neurons)
            One for every dense layer but the last.
        """
        X = dense_rows(self._rows(X))
        network = self._current()
        reading = network.forward(X)
        dense = [name for name, layer in network.layers.items() if isinstance(layer, Dense)]
        return [reading[name].a for name in dense[:-1]]

    def input_gradient(self, X: Any, y: Any) -> Any:
        """Derivative of every sample's loss with respect to its features.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target values.

        Returns
        -------
        gradient : ndarray of shape (n_samples, n_features)
            How each sample's loss, penalty left out, would change with each feature.
        """
        X = self._rows(X)
        network = self._current()
        batch = self._batch(X, np.asarray(y))
        objective = Objective(network.model, (self._head,))
        rows = len(batch.inputs[0])

        def total(inputs: Any) -> Any:
            return rows * objective(network.parameters, batch.like([inputs, *batch.arrays()[1:]]))[0]

        return grad(total)(batch.inputs[0])

    def explain(self, X: Any, y: Any, weight: str, **options: Any) -> Any:
        """How the gradient of the loss by one weight comes about, step by step.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target values.
        weight : str
            Such as ``"dense_0.weight[0, 1]"``; layers are numbered from 0.
        **options
            Handed on to :meth:`chainrule.Network.explain`.

        Returns
        -------
        explanation
            As :meth:`chainrule.Network.explain` gives it.
        """
        X = dense_rows(self._rows(X))
        loss = self._head.loss
        options = {"loss": getattr(loss, "plain", loss)} | options
        return self._current().explain(X, self._targets(y), weight, **options)

    def __sklearn_tags__(self) -> Any:
        """Tags: rows may be sparse."""
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.sparse = True
        return tags
