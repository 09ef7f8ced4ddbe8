"""`NetworkClassifier`: any network as a classifier."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import unique_labels
from sklearn.utils.validation import _check_sample_weight, validate_data

from chainrule.network import Network
from chainrule.nn.layers import Dense
from chainrule.sklearn.fitted import dense_rows
from chainrule.sklearn.network_estimator import BaseNetworkEstimator
from chainrule.training import as_loss


def _gives_probabilities(estimator: Any) -> bool:
    """Whether the loss makes the outputs probabilities."""
    return estimator.loss is None or as_loss(estimator.loss).link in ("sigmoid", "softmax")


class NetworkClassifier(ClassifierMixin, BaseNetworkEstimator):
    """Any network as a classifier.

    Parameters
    ----------
    network : chainrule.Network, default=None
        The network, as a pattern: every fit learns with a fresh one like it, in the dtype of `X`. Its last `Dense` layer is
        given as many neurons as `y` asks for. One that has been built or fitted is gone on from. By default one hidden
        layer of 100 neurons.

    loss : str, chainrule loss or callable, default=None
        By default cross-entropy.

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
        Such as 'auc' or 'f1', or functions of targets, which are the places of labels in `classes_`, and predictions: measured
        after every epoch, of samples held out where there are some, in `history_`;
        `early_stopping=chainrule.EarlyStopping(monitor="val_auc")` watches one.

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

    class_weight : dict, 'balanced' or None, default=None
        How much each class counts.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.

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
    MLPClassifier : scikit-learn's, trained by chainrule.

    Examples
    --------
    >>> import chainrule as cr
    >>> from chainrule.sklearn import NetworkClassifier
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> network = cr.Network([cr.Dense(16, "gelu"), cr.Dropout(0.1), cr.Dense(3)])
    >>> clf = NetworkClassifier(network, optimizer=cr.Adam(0.01), random_state=0).fit(X, y)
    >>> clf.score(X, y) > 0.95
    True
    >>> clf.set_params(network__dense_0__units=32, optimizer__learning_rate=0.02).fit(X, y).network_.layers["dense_0"]
    Dense(units=32, activation='gelu')
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseNetworkEstimator._parameter_constraints,
        "class_weight": [StrOptions({"balanced"}), dict, list, None],
    }

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
        class_weight: Any = None,
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
        self.class_weight = class_weight

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: Any = None) -> Any:
        """Fit the network to data matrix X and target(s) y.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The class labels.
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
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Any:
        """One more epoch on these samples, with the network and the optimizer as they are.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The class labels.
        classes : array-like of shape (n_classes,), default=None
            All labels there will be; needed in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights.

        Returns
        -------
        self : object
            The trained model.
        """
        if classes is None and not hasattr(self, "network_"):
            raise ValueError("classes must be passed on the first call to partial_fit.")
        return self._learn(X, y, sample_weight, None, incremental=True, classes=classes)

    def _learn(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation_data: Any,
        *,
        incremental: bool = False,
        classes: Any = None,
    ) -> Any:
        first = not (hasattr(self, "network_") and (incremental or self.warm_start))
        X, y = validate_data(
            self, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=(np.float64, np.float32), reset=first
        )
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        self._learn_classes(y, classes, first, incremental)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X)
        if self.class_weight is not None:
            by_class = compute_sample_weight(self.class_weight, y)
            sample_weight = by_class if sample_weight is None else by_class * sample_weight
        loss = None if self.loss is None else as_loss(self.loss)
        count = len(self.classes_)
        outputs = count if self._several or count > 2 or (loss is not None and loss.link == "softmax") else 1
        if loss is None:
            two = outputs > 1 and not self._several
            loss = as_loss("cross_entropy" if two or self._ends_in_two() else "binary_cross_entropy")
        if validation_data is not None:
            validation_data = (dense_rows(self._rows(validation_data[0])), self._targets(validation_data[1]))
        targets = self._targets(y)
        return self._fit(X, targets, outputs, loss, sample_weight, validation_data, incremental=incremental)

    def _learn_classes(self, y: Any, classes: Any, first: bool, incremental: bool) -> None:
        """The labels that outputs stand for; those of a fit that is gone on from stay as they are."""
        binarizer = LabelBinarizer().fit(y)
        several, found = binarizer.y_type_.startswith("multilabel"), binarizer.classes_
        labels = found if classes is None or several else unique_labels(classes)
        if first:
            self._several, self.classes_ = several, labels
            pattern = None if self.network is None else self.network.classes
            if (
                isinstance(pattern, np.ndarray)
                and not several
                and pattern.tolist() not in (labels.tolist(), [*range(len(labels))])
            ):
                raise ValueError(
                    f"the network given has learned the labels {pattern.tolist()} and `y` has {labels.tolist()}; give labels "
                    "it knows, or a network that was not fitted."
                )
        elif several != self._several or not (
            np.isin(labels, self.classes_).all()
            if incremental and classes is None
            else np.array_equal(labels, self.classes_)
        ):
            raise ValueError(
                f"`y` or `classes` has other labels than the fit that is gone on from: {labels.tolist()} where it had "
                f"{self.classes_.tolist()}. Give the same, or fit anew (warm_start=False)."
            )

    def _ends_in_two(self) -> bool:
        """Whether two classes have an output each in the network given."""
        layers = getattr(getattr(self.network, "function", None), "layers", ())
        dense = [layer for layer in layers if isinstance(layer, Dense)]
        return len(self.classes_) == 2 and not self._several and bool(dense) and dense[-1].units == 2

    def _targets(self, y: Any) -> Any:
        """Numbers of classes, or yes and no for each."""
        if self._several:
            return np.asarray(dense_rows(y), np.float64)
        y = column_or_1d(y)
        class_indices = np.minimum(np.searchsorted(self.classes_, y), len(self.classes_) - 1)
        if not (self.classes_[class_indices] == y).all():
            raise ValueError(f"`y` has classes not in `self.classes_`, which has {self.classes_}.")
        return class_indices

    def predict(self, X: Any) -> Any:
        """Predict class labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_classes)
            The predicted classes.
        """
        found = self._ask(Network.predict, X)
        return found if self._several else self.classes_.take(found, mode="clip")

    @available_if(_gives_probabilities)
    def predict_proba(self, X: Any) -> Any:
        """Probability estimates.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        y_prob : ndarray of shape (n_samples, n_classes)
            The probability of the sample for each class, in the order of `classes_`.
        """
        return self._ask(Network.predict_proba, X)

    @available_if(_gives_probabilities)
    def predict_log_proba(self, X: Any) -> Any:
        """Logarithms of probability estimates.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        log_y_prob : ndarray of shape (n_samples, n_classes)
            Equivalent to `log(predict_proba(X))`.
        """
        return np.log(self.predict_proba(X))

    def __sklearn_tags__(self) -> Any:
        """Tags: several labels at once may be learned."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
