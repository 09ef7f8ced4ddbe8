"""scikit-learn's own callbacks, where the installed version has them: told of the fit and of every epoch."""

from __future__ import annotations

import copy
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # before scikit-learn 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Nothing to support."""

    def with_callbacks(method: Any) -> Any:
        """The method itself."""
        return method


__all__ = ["CallbackSupportMixin", "Told", "with_callbacks"]


class Told:
    """Tells an estimator's callbacks of one fit; does nothing where there are none."""

    def __init__(self, estimator: Any, X: Any, y: Any, metadata: Any, iterations: int) -> None:
        self._estimator = estimator
        self._epoch: Any = None
        self._about = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._context: Any = None
        self.listening = bool(getattr(estimator, "_skl_callbacks", None))
        if hasattr(estimator, "_init_callback_context"):
            self._context = estimator._init_callback_context(max_subtasks=iterations if self.listening else 0)
            self._context.call_on_fit_task_begin(**self._about)

    def epoch_begins(self) -> None:
        """An epoch follows."""
        if self.listening:
            self._epoch = self._context.subcontext(task_name="epoch")
            self._epoch.call_on_fit_task_begin(**self._about, reconstruction_attributes=self._fitted)

    def epoch_ends(self) -> bool:
        """An epoch is over; says whether a callback wants it to be the last."""
        if not self.listening:
            return False
        stop = self._epoch.call_on_fit_task_end(**self._about, reconstruction_attributes=self._fitted)
        self._epoch = None
        return bool(stop)

    def fit_ends(self) -> None:
        """The fit is over."""
        if self._epoch is not None:  # one that was announced and did not come
            self._epoch.call_on_fit_task_end(estimator=self._estimator)
        if self._context is not None:
            self._context.call_on_fit_task_end(**self._about, reconstruction_attributes=dict)

    def _fitted(self) -> dict[str, Any]:
        """What the estimator has learned so far, for a copy of it."""
        parts = {name: value for name, value in vars(self._estimator).items() if _is_learned(name)}
        return copy.deepcopy(parts)


def _is_learned(name: str) -> bool:
    return name == "_label_binarizer" or (name.endswith("_") and not name.startswith("_"))
