"""`MLPRegressor`: scikit-learn's, trained by chainrule."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from chainrule.network import Network
from chainrule.sklearn.callbacks import with_callbacks
from chainrule.sklearn.losses import HalfPoissonDeviance, HalfSquaredError
from chainrule.sklearn.multilayer import BaseMultilayerPerceptron, learns_by_epochs
from chainrule.sklearn.parameters import CONSTRAINTS, LOSS_NAMES
from chainrule.training import Loss, as_loss

OWN_LOSSES = {"squared_error": HalfSquaredError(), "poisson": HalfPoissonDeviance()}
"""The losses scikit-learn has, in its terms."""


class MLPRegressor(RegressorMixin, BaseMultilayerPerceptron):
    """Multi-layer perceptron regressor.

    In place of scikit-learn's `MLPRegressor`: the same parameters, attributes and results, and further ones at the end.

    Parameters
    ----------
    loss : str, chainrule loss or callable, default='squared_error'
        'squared_error' and 'poisson' as in scikit-learn (half of the squared error, half of the deviance), another loss
        for values that chainrule knows ('absolute_error', 'huber', 'log_cosh', ...), or a function of outputs and targets.

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
    loss_ : float
        The loss of the last epoch, penalty included.

    best_loss_ : float or None
        The least loss of all epochs; `None` with early stopping. Not with 'lbfgs'.

    loss_curve_ : list of shape (n_iter_,)
        The loss of every epoch. Not with 'lbfgs'.

    validation_loss_curve_ : list of shape (n_iter_,) or None
        The loss on validation data after every epoch, penalty left out, with early stopping or `validation_data`.

    validation_scores_ : list of shape (n_iter_,) or None
        The score (R²) on validation data after every epoch.

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
    MLPClassifier : The same for class labels.
    NetworkRegressor : Any network as a regressor.

    Examples
    --------
    >>> from chainrule.sklearn import MLPRegressor
    >>> from sklearn.datasets import make_regression
    >>> from sklearn.model_selection import train_test_split
    >>> X, y = make_regression(n_samples=200, n_features=20, random_state=1)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)
    >>> regr = MLPRegressor(random_state=1, max_iter=2000, tol=0.1)
    >>> regr.fit(X_train, y_train)
    MLPRegressor(max_iter=2000, random_state=1, tol=0.1)
    >>> regr.predict(X_test[:2]).round()
    array([  29., -291.])
    >>> regr.score(X_test, y_test)
    0.98...
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {**CONSTRAINTS, "loss": [LOSS_NAMES, Loss, callable]}

    def __init__(
        self,
        loss: Any = "squared_error",
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
        optimizer: Any = None,
        dropout: Any = 0.0,
        callbacks: Any = None,
        engine: Any = "auto",
        threads: Any = None,
    ) -> None:
        self.loss = loss
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
            The target values.
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
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Update the model with a single iteration over the given data.

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
        return self._fit(X, y, sample_weight, incremental=True)

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

    # --- targets and outputs

    def _validated(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Any]:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            y_numeric=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X, y

    def _objective_of(self, y: Any) -> tuple[Loss, int]:
        own = OWN_LOSSES.get(self.loss) if isinstance(self.loss, str) else None
        return own or as_loss(self.loss), 1 if y.ndim == 1 else y.shape[1]

    def _encoded(self, y: Any, loss: Loss) -> Any:
        values = np.asarray(y, np.float64)
        if loss.link == "exp" and (values < 0).any():
            raise ValueError("the loss 'poisson' needs y >= 0.")
        return values.reshape(len(values), -1)

    def _score_of(self, predicted: Any, y: Any, sample_weight: Any) -> float:
        finite = np.isfinite(predicted).all()
        return float(r2_score(y, predicted, sample_weight=sample_weight)) if finite else np.nan
