"""`MLPClassifier`: scikit-learn's, trained by chainrule."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import scipy.sparse
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target

from chainrule.network import Network
from chainrule.sklearn.callbacks import with_callbacks
from chainrule.sklearn.labels import LabelledPerceptron
from chainrule.sklearn.multilayer import learns_by_epochs
from chainrule.sklearn.parameters import CONSTRAINTS, LOSS_NAMES
from chainrule.training import Loss, as_loss


def _gives_probabilities(estimator: Any) -> bool:
    """Whether the loss makes the outputs probabilities; others give labels only."""
    if isinstance(estimator.loss, str) and estimator.loss == "log_loss":
        return True
    return as_loss(estimator.loss).link in ("sigmoid", "softmax")


class MLPClassifier(ClassifierMixin, LabelledPerceptron):
    """Multi-layer perceptron classifier.

    In place of scikit-learn's `MLPClassifier`: the same parameters, attributes and results, and further ones at the end.

    Parameters
    ----------
    hidden_layer_sizes : array-like of shape (n_layers - 2,), default=(100,)
        The ith element is the number of neurons in the ith hidden layer.

    activation : str, callable, or list of these, default='relu'
        Activation function of the hidden layers: 'identity', 'logistic', 'tanh', 'relu' as in scikit-learn, any other that
        chainrule knows by name ('gelu', 'silu', 'leaky_relu', ...), or a function of one array written in NumPy. A list
        has one for each hidden layer.

    solver : {'lbfgs', 'sgd', 'adam'}, default='adam'
        The solver for weight optimization. 'lbfgs' is SciPy's L-BFGS-B on the objective over all samples, compiled with its
        gradient.

    alpha : float, default=0.0001
        Strength of the L2 penalty, which is divided by the sample size when added to the loss.

    batch_size : int, default='auto'
        Size of minibatches for 'sgd' and 'adam'. 'auto' is `min(200, n_samples)`.

    learning_rate : {'constant', 'invscaling', 'adaptive'}, default='constant'
        Learning rate schedule of 'sgd'. 'invscaling' divides `learning_rate_init` by `pow(t, power_t)` after each epoch;
        'adaptive' divides the rate by 5 each time `n_iter_no_change` epochs in a row improve by less than `tol`.

    learning_rate_init : float, default=0.001
        The initial learning rate of 'sgd' and 'adam'.

    power_t : float, default=0.5
        The exponent of 'invscaling'.

    max_iter : int, default=200
        Maximum number of epochs, or of iterations of 'lbfgs'.

    shuffle : bool, default=True
        Whether samples come in a new order in each epoch.

    random_state : int, RandomState instance or None, default=None
        Decides first weights, orders of samples, and the validation split; the same int gives the same first weights,
        orders and split as in scikit-learn.

    tol : float, default=1e-4
        When the loss or score does not improve by `tol` for `n_iter_no_change` consecutive epochs, training ends.
        For 'lbfgs' the bound of the gradient.

    verbose : bool, default=False
        Whether to print the loss of every epoch.

    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the fit before.

    momentum : float, default=0.9
        Momentum of 'sgd', between 0 and 1.

    nesterovs_momentum : bool, default=True
        Whether it is Nesterov's.

    early_stopping : bool, default=False
        Whether to stop when the score on held-out samples does not improve; the weights of the best epoch are kept.

    validation_fraction : float, default=0.1
        The proportion of samples to hold out for early stopping.

    beta_1, beta_2 : float, default=0.9 and 0.999
        Decay rates of the moment vectors of 'adam', in [0, 1).

    epsilon : float, default=1e-8
        Value for numerical stability in 'adam'.

    n_iter_no_change : int, default=10
        Maximum number of epochs to not meet `tol` improvement.

    max_fun : int, default=15000
        Maximum number of evaluations of the objective by 'lbfgs'.

    loss : str, chainrule loss or callable, default='log_loss'
        'log_loss', another loss for labels that chainrule knows ('hinge', ...), or a function of outputs and targets.

    class_weight : dict, 'balanced' or None, default=None
        How much each class counts; 'balanced' is in inverse proportion to how often classes occur.

    optimizer : str or chainrule optimizer, default=None
        In place of `solver`: a name such as 'adamw', or `chainrule.AdamW(1e-3)` with its own learning rate or schedule.

    dropout : float or list of float, default=0.0
        The share of each hidden layer's outputs that is left out in training; a list has one for each.

    callbacks : callable or list of callables, default=None
        Called after every epoch with a :class:`chainrule.EpochEnd`; `True` or a text ends training. scikit-learn's own
        callbacks are given to `set_callbacks` where the installed version has it.

    engine : {'auto', 'llvm', 'numpy', 'jax'} or Engine, default='auto'
        What carries out the training: machine code, NumPy or JAX, such as `cr.JaxEngine(device="gpu")`.

    threads : int, default=None
        The most threads that one fit shares out large steps to. The results do not depend on it.

    Attributes
    ----------
    classes_ : ndarray or list of ndarray of shape (n_classes,)
        Class labels for each output.

    loss_ : float
        The loss of the last epoch, penalty included.

    best_loss_ : float or None
        The least loss of all epochs; `None` with early stopping. Not with 'lbfgs'.

    loss_curve_ : list of shape (n_iter_,)
        The loss of every epoch. Not with 'lbfgs'.

    validation_loss_curve_ : list of shape (n_iter_,) or None
        The loss on validation data after every epoch, penalty left out, with early stopping or `validation_data`.

    validation_scores_ : list of shape (n_iter_,) or None
        The score (accuracy) on validation data after every epoch.

    best_validation_score_ : float or None
        The best of them.

    t_ : int
        The number of training samples seen by the solver.

    coefs_ : list of shape (n_layers - 1,)
        The ith element is the weight matrix of layer i.

    intercepts_ : list of shape (n_layers - 1,)
        The ith element is the bias vector of layer i + 1.

    network_ : chainrule.Network
        The network itself, with everything that can be done with one: drawing, saving, looking at gradients.

    n_features_in_ : int
        Number of features seen during :term:`fit`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features seen during :term:`fit`, where `X` has names that are all strings.

    n_iter_ : int
        The number of iterations the solver has run.

    n_layers_ : int
        Number of layers.

    n_outputs_ : int
        Number of outputs.

    out_activation_ : str
        Name of the output activation function.

    See Also
    --------
    MLPRegressor : The same for values.
    NetworkClassifier : Any network as a classifier.

    Examples
    --------
    >>> from chainrule.sklearn import MLPClassifier
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.model_selection import train_test_split
    >>> X, y = make_classification(n_samples=100, random_state=1)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=1)
    >>> clf = MLPClassifier(random_state=1, max_iter=300).fit(X_train, y_train)
    >>> clf.predict_proba(X_test[:1])
    array([[0.0383..., 0.961...]])
    >>> clf.predict(X_test[:5, :])
    array([1, 0, 1, 0, 1])
    >>> clf.score(X_test, y_test)
    0.8...
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **CONSTRAINTS,
        "loss": [LOSS_NAMES, Loss, callable],
        "class_weight": [StrOptions({"balanced"}), dict, list, None],
    }

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: Any = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: Any = 0.001,
        power_t: Any = 0.5,
        max_iter: Any = 200,
        shuffle: Any = True,
        random_state: Any = None,
        tol: Any = 1e-4,
        verbose: Any = False,
        warm_start: Any = False,
        momentum: Any = 0.9,
        nesterovs_momentum: Any = True,
        early_stopping: Any = False,
        validation_fraction: Any = 0.1,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-8,
        n_iter_no_change: Any = 10,
        max_fun: Any = 15000,
        loss: Any = "log_loss",
        class_weight: Any = None,
        optimizer: Any = None,
        dropout: Any = 0.0,
        callbacks: Any = None,
        engine: Any = "auto",
        threads: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.loss = loss
        self.class_weight = class_weight
        self.optimizer = optimizer
        self.dropout = dropout
        self.callbacks = callbacks
        self.engine = engine
        self.threads = threads

    @_fit_context(prefer_skip_nested_validation=True)
    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: Any = None) -> Any:
        """Fit the model to data matrix X and target(s) y.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights.
        validation_data : tuple (X, y), default=None
            Samples to be scored after every epoch, in place of held-out ones for early stopping.

        Returns
        -------
        self : object
            The trained model.
        """
        return self._fit(X, y, sample_weight, validation_data)

    @available_if(learns_by_epochs)
    @_fit_context(prefer_skip_nested_validation=True)
    @with_callbacks
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Any:
        """Update the model with a single iteration over the given data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.
        y : array-like of shape (n_samples,)
            The class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights.
        classes : array of shape (n_classes,), default=None
            Classes across all calls; required in the first call.

        Returns
        -------
        self : object
            The trained model.
        """
        if _check_partial_fit_first_call(self, classes):
            self._label_binarizer = LabelBinarizer()
            self._label_binarizer.fit(y if type_of_target(y).startswith("multilabel") else classes)
        return self._fit(X, y, sample_weight, incremental=True)

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
        labels = self._ask(Network.predict, X)
        return scipy.sparse.csr_matrix(labels) if self._label_binarizer.sparse_input_ else labels

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
            The predicted probability of the sample for each class, in the order of `classes_`.
        """
        probabilities = self._ask(Network.predict_proba, X)
        if self._label_binarizer.y_type_ == "multiclass" and self.out_activation_ == "logistic":
            probabilities /= np.maximum(probabilities.sum(axis=1, keepdims=True), 1e-30)
        return probabilities

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
        probabilities = self.predict_proba(X)
        return np.log(probabilities, out=probabilities)

    def __sklearn_tags__(self) -> Any:
        """Tags: several labels at once may be learned."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
