"""Learning: `fit`, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from chainrule.engines import Engine
from chainrule.engines.choice import leads
from chainrule.errors import SettingError, shortened
from chainrule.network.advice import NOT_TAKEN, advised
from chainrule.network.answers.measuring import Asked, as_metrics, metric_name
from chainrule.network.examining import ExaminableNetwork
from chainrule.network.files.checkpoints import checkpoints_for, is_whole
from chainrule.network.files.holding import held
from chainrule.network.files.storage import as_path
from chainrule.network.fitting import carry_out, training_for
from chainrule.nn.parameters import as_patterns
from chainrule.training import Clipping, EarlyStopping, Every, History, Penalty, Run, Settings, as_early_stopping
from chainrule.training.between_epochs.checkpoints import USUAL, as_typed
from chainrule.training.between_epochs.progress import Display
from chainrule.training.between_epochs.signals import heard_as_interrupt


class TrainableNetwork(ExaminableNetwork):
    """A network that learns from data."""

    @advised("fit", "name all but X and y, fit(X, y, epochs=30)", **NOT_TAKEN)
    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        loss: Any = None,
        optimizer: Any = "adam",
        epochs: int = 20,
        batch_size: int | None = 32,
        seed: int = 0,
        shuffle: bool = True,
        validation_data: Sequence[Any] | None = None,
        validation_split: float = 0.0,
        metrics: Sequence[Asked] | Asked = (),
        early_stopping: EarlyStopping | int | bool | None = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        l1: float = 0.0,
        l2: float = 0.0,
        clip_value: float | None = None,
        clip_norm: float | None = None,
        frozen: Sequence[str] | None = None,
        callbacks: Sequence[Callable[..., Any]] = (),
        gradients: str = "chain rule",
        engine: str | Engine = "auto",
        threads: int | None = None,
        progress: bool | Display | None = None,
        continue_from: Run | None = None,
        record: bool | int = False,
        standardise: bool = False,
        checkpoint: str | Path | None = None,
        every: int | str | timedelta | None = None,
    ) -> History:
        """Learn from data, starting from the parameters as they are.

        Parameters
        ----------
        X : array-like of shape (rows, features)
            Arrays, lists, or data frames of numbers; for several inputs a tuple or a dict. The names of a frame's columns
            are remembered, and later frames matched by them. Or a `Dataset`, which has targets and weights itself, of more rows
            than fit into memory.
        y : array-like of shape (rows,) or (rows, outputs)
            Labels of any kind, or values. For several outputs nested as they are. Text, booleans and whole numbers in one
            column are labels, and so are one-hot rows for a network that ends in softmax. A network that has learned
            labels refuses others.
        loss : str, loss or callable, optional
            By default cross-entropy for labels and squared error for values.
        optimizer : str or optimizer
            Such as `"adam"` or `cr.SGD(0.1, momentum=0.9)`; its learning rate may be a schedule.
        epochs, batch_size : int
            Passes over the data, and rows in a batch; `batch_size=None` means all. The last, smaller batch
            of an epoch is trained on like the others.
        seed : int
            Decides the order of rows and the numbers of dropout.
        shuffle : bool
            Whether rows come in a new order in every epoch.
        validation_data : (X, y) or (X, y, sample_weight) or Dataset, optional
            Data whose metrics are reported after every epoch.
        validation_split : float
            The share of rows, taken at random, to be validation data instead of being learned from.
        metrics : sequence of str or callables
            Further metrics after every epoch, of the validation data where there are any (`val_auc`), or else of the rows learned
            from (`auc`), which is another pass over them. Of labels "auc", "f1", "balanced_accuracy", "log_loss" and "brier"; of
            values "mae", "rmse", "r2" and "median_absolute_error"; and functions of the right answers and the predictions, which are
            given no weights.
        early_stopping : EarlyStopping, int or True, optional
            When to stop before the last epoch; an integer is the patience. `cr.EarlyStopping(monitor="val_auc")` watches a metric.
        sample_weight : array-like of shape (rows,), optional
            How much each row counts, against the mean weight of all rows learned from: the loss of a batch is its rows'
            mean of weight · loss, with weights whose mean over all rows is 1.
        class_weight : "balanced" or dict, optional
            How much each label counts.
        l1, l2 : float
            The penalty l1·Σ|w| + ½·l2·Σw² over all parameters but biases: those of layers, and every `Parameter` that is
            only ever added to something that depends on the inputs or says `bias=True`.
        clip_value, clip_norm : float, optional
            Bounds of each number of the gradient, and of its length.
        frozen : sequence of str, optional
            Patterns of parameter names not to learn; by default the network's own.
        callbacks : sequence of callables
            Each called with an `EpochEnd` after every epoch; `True` or a text stops the training.
        gradients : {"chain rule", "numerical"}
            How gradients are found: by backpropagation, or by nudging every parameter in turn.
        engine : {"auto", "llvm", "numpy", "jax"} or Engine
            What carries out the steps: machine code, NumPy or JAX, such as `cr.JaxEngine(device="gpu")`. `auto` is machine code
            wherever it can be.
        threads : int, optional
            The most threads that machine code shares a large step out to; by default what OMP_NUM_THREADS says, or as
            many as there are cores. Never more than the cores this process may use, nor than its share of them where
            several of its threads train. The results are the same, to the bit, for any number.
        progress : bool or object, optional
            Whether to show a progress bar; by default when standard error is a terminal. Or what is told, by
            `update(epochs, metrics)`: within epochs too, some thirty times a second.
        continue_from : Run, optional
            `network.run` or an `EpochEnd.run` of an earlier `fit`, to go on where it stood, with the same bits as if it
            had never stopped. Data and settings are to be given as they were; `epochs` counts all epochs, so that
            `epochs=20` with a run of 10 carries out 10 more. Engine, threads, callbacks and patience may be others.
        record : bool or int
            Whether to leave a `network.recording`, from which every moment of the training can be had again, to the bit; as a
            number, how many megabytes it may keep of the states on the way (`True`: 64).
        standardise : bool
            Whether the network is given a first layer `Standardise`, with the means and deviations of the rows learned from.
        checkpoint : str or Path, optional
            A file in which the training is kept while it goes on, so that `cr.resume(checkpoint, X, y)` ends with the bits of one
            that was never stopped, wherever this one was killed. The two moments before are kept beside it, as `.1` and `.2`.
            Callbacks that have `state_dict()` and
            `load_state_dict(state)` are kept with it.
        every : str, timedelta or int, optional
            How often: a time such as `"5m"`, or a number of epochs; by default `"30s"`. One that is due while the one before is
            still being written is left out.

        Returns
        -------
        History
            Every epoch's metrics. Ctrl-C ends training early, and so do SIGTERM and SIGHUP where nobody else hears them; what
            was learned so far is kept.

        Raises
        ------
        DataError, ShapeError, SettingError, UnknownNameError
            When data or settings are refused; the message says why and what to do.
        DivergedError
            When the loss leaves the finite numbers; the network keeps the last finite weights.
        """
        path = None if checkpoint is None or not leads(engine) else as_path(checkpoint)
        if checkpoint is None and every is not None:
            raise SettingError(
                f"every={shortened(every)} says how often a training is kept, and checkpoint, where, was not given; give both."
            )
        every = as_typed(USUAL if every is None else every)
        often = Every.of(every)
        settings = Settings(
            epochs=epochs, batch_size=batch_size, seed=seed, shuffle=shuffle, engine=engine, threads=threads,
            gradients=gradients, early_stopping=as_early_stopping(early_stopping), callbacks=callbacks,
            frozen=self.frozen if frozen is None else as_patterns(frozen), progress=progress, record=record,
        )  # fmt: skip
        training = training_for(
            self, X, y, settings, loss=loss, optimizer=optimizer, penalty=Penalty(l1, l2),
            clipping=Clipping(clip_value, clip_norm), validation_data=validation_data, validation_split=validation_split,
            sample_weight=sample_weight, class_weight=class_weight, continue_from=continue_from, standardise=standardise,
            metrics=metrics,
        )  # fmt: skip
        given = {
            "optimizer": training.step.optimizer, "batch_size": batch_size, "seed": seed, "shuffle": shuffle,
            "early_stopping": settings.early_stopping, "validation_split": validation_split, "class_weight": class_weight,
            "l1": l1, "l2": l2, "clip_value": clip_value, "clip_norm": clip_norm, "frozen": settings.frozen,
            "gradients": gradients, "engine": engine, "threads": threads, "record": record, "every": every,
            "metrics": [metric_name(one) for one in as_metrics(metrics)],
        }  # fmt: skip
        goes_on = continue_from is not None
        with heard_as_interrupt(), held(None if is_whole(continue_from, epochs) else path):
            if path is not None:
                training.checkpoints = checkpoints_for(self, training, path, often, given, goes_on=goes_on)
            return carry_out(self, training)
