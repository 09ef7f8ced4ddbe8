"""What to write instead of arguments that another library takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import ParamSpec, TypeVar

from chainrule.errors import ArgumentError, nearest

P = ParamSpec("P")
R = TypeVar("R")

NOT_TAKEN = {
    "learning_rate": "give it to the optimizer, optimizer=cr.Adam(0.001)",
    "lr": "give the rate to the optimizer, optimizer=cr.Adam(0.001)",
    "verbose": "progress=True shows a bar, progress=False nothing",
    "shuffle_seed": "give seed",
    "max_iter": "give epochs",
    "n_epochs": "give epochs",
    "criterion": "give it as loss",
    "weights": "give sample_weight",
    "initial_epoch": "give continue_from=network.run to go on",
}
"""Arguments of other libraries' `fit`, and what is written here."""


def advised(name: str, more: str, **instead: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Have a method say what to write in place of arguments that it does not take.

    Parameters
    ----------
    name : str
        What it is called in messages.
    more : str
        What to write where it is given more arguments without a name than it takes.
    instead : str
        What to write in place of an argument of this name.
    """

    def decorated(method: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(method)

        @wraps(method)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return method(*args, **kwargs)
            except TypeError:
                try:
                    signature.bind(*args, **kwargs)
                except TypeError as error:
                    raise ArgumentError(_told(name, str(error), more, instead, signature, kwargs)) from None
                raise

        return called

    return decorated


def _told(
    name: str,
    error: str,
    more: str,
    instead: Mapping[str, str],
    signature: inspect.Signature,
    given: Mapping[str, object],
) -> str:
    unknown = [key for key in given if key not in signature.parameters]
    if unknown:
        advice = instead.get(unknown[0])
        if advice is None:
            known = [key for key in signature.parameters if key != "self"]
            return f"{name} takes no {unknown[0]!r}{nearest(unknown[0], known)}. It takes {', '.join(known)}."
        return f"{name} takes no {unknown[0]!r}: {advice}."
    if "too many" in error:
        return f"{name} was given more arguments without a name than it takes: {more}."
    return f"{name} lacks an argument: {error}; give it."
