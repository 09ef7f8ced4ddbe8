"""`NetworkRegressor`: any network as a regressor."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.utils import column_or_1d
from sklearn.utils.validation import _check_sample_weight, validate_data

from chainrule.network import Network
from chainrule.sklearn.fitted import dense_rows
from chainrule.sklearn.network_estimator import BaseNetworkEstimator
from chainrule.training import as_loss


class NetworkRegressor(RegressorMixin, BaseNetworkEstimator):
    """Any network as a regressor.

    Parameters
    ----------
    network : chainrule.Network, default=None
        The network, as a pattern: every fit learns with a fresh one like it, in the dtype of `X`. Its last `Dense` layer is
        given as many neurons as `y` asks for. One that has been built or fitted is gone on from. By default one hidden
        layer of 100 neurons.

    loss : str, chainrule loss or callable, default=None
        By default the squared error.

    optimizer : str or chainrule optimizer, default='adam'
        Such as 'sgd' or `chainrule.SGD(0.1, momentum=0.9)`.

    max_iter : int, default=200
        Passes over the data (epochs).

    batch_size : int or None, default=200
        Rows in a batch; `None` means all.

    shuffle : bool, default=True
        Whether samples come in a new order in each epoch.

    validation_split : float, default=0.0
        The share of samples to hold out and report on.

    early_stopping : int, bool or chainrule.EarlyStopping, default=None
        When to stop before the last epoch; an int is the patience.

    l1, l2 : float, default=0.0
        The penalty `l1 * sum(abs(w)) + l2 / 2 * sum(w ** 2)`, biases left out.

    clip_value, clip_norm : float, default=None
        Bounds of each number of the gradient, and of its length.

    metrics : str, callable, or list of them, default=()
        Such as 'r2' or 'mae', or functions of targets and predictions: measured after every epoch, of samples held out where
        there are some, in `history_`;
        `early_stopping=chainrule.EarlyStopping(monitor="val_r2")` watches one.

    callbacks : list of callables, default=()
        Each called with a :class:`chainrule.EpochEnd` after every epoch.

    warm_start : bool, default=False
        Whether `fit` goes on with the network of the fit before.

    random_state : int, RandomState instance or None, default=None
        Decides first weights, orders of samples, and the validation split.

    engine : {'auto', 'llvm', 'numpy', 'jax'} or Engine, default='auto'
        What carries out the training.

    threads : int, default=None
        The most threads that one fit shares out large steps to.

    verbose : bool, default=False
        Whether to show a progress bar.

    Attributes
    ----------
    network_ : chainrule.Network
        The fitted network.

    history_ : chainrule.History
        Every epoch's metrics.

    loss_curve_, validation_loss_curve_ : list of shape (n_iter_,)
        The loss of every epoch, and on validation data where there are any.

    n_iter_ : int
        Number of epochs.

    n_features_in_ : int
        Number of features seen during :term:`fit`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features seen during :term:`fit`, where `X` has names that are all strings.

    See Also
    --------
    MLPRegressor : scikit-learn's, trained by chainrule.

    Examples
    --------
    >>> import chainrule as cr
    >>> from chainrule.sklearn import NetworkRegressor
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> X, y = load_diabetes(return_X_y=True)
    >>> regr = NetworkRegressor(cr.Network([cr.Dense(16, "tanh"), cr.Dense(1)]), random_state=0).fit(scale(X), scale(y))
    >>> regr.score(scale(X), scale(y)) > 0.5
    True
    """

    def __init__(
        self,
        network: Any = None,
        *,
        loss: Any = None,
        optimizer: Any = "adam",
        max_iter: Any = 200,
        batch_size: Any = 200,
        shuffle: Any = True,
        validation_split: Any = 0.0,
        early_stopping: Any = None,
        l1: Any = 0.0,
        l2: Any = 0.0,
        clip_value: Any = None,
        clip_norm: Any = None,
        metrics: Any = (),
        callbacks: Any = (),
        warm_start: Any = False,
        random_state: Any = None,
        engine: Any = "auto",
        threads: Any = None,
        verbose: Any = False,
    ) -> None:
        self.network = network
        self.loss = loss
        self.optimizer = optimizer
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.validation_split = validation_split
        self.early_stopping = early_stopping
        self.l1 = l1
        self.l2 = l2
        self.clip_value = clip_value
        self.clip_norm = clip_norm
        self.metrics = metrics
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.random_state = random_state
        self.engine = engine
        self.threads = threads
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: Any = None) -> Any:
        """Fit the network to data matrix X and target(s) y.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target values.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights.
        validation_data : tuple (X, y), default=None
            Samples that are reported on after every epoch.

        Returns
        -------
        self : object
            The trained model.
        """
        return self._learn(X, y, sample_weight, validation_data)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """One more epoch on these samples, with the network and the optimizer as they are.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target values.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights.

        Returns
        -------
        self : object
            The trained model.
        """
        return self._learn(X, y, sample_weight, None, incremental=True)

    def _learn(self, X: Any, y: Any, sample_weight: Any, validation_data: Any, *, incremental: bool = False) -> Any:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            y_numeric=True,
            dtype=(np.float64, np.float32),
            reset=not (hasattr(self, "network_") and (incremental or self.warm_start)),
        )
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X)
        loss = as_loss("squared_error" if self.loss is None else self.loss)
        if validation_data is not None:
            validation_data = (dense_rows(self._rows(validation_data[0])), self._targets(validation_data[1]))
        outputs = 1 if y.ndim == 1 else y.shape[1]
        return self._fit(X, self._targets(y), outputs, loss, sample_weight, validation_data, incremental=incremental)

    def _targets(self, y: Any) -> Any:
        return np.asarray(y, np.float64)

    def predict(self, X: Any) -> Any:
        """Predict values.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The predicted values.
        """
        return self._ask(Network.predict, X)
