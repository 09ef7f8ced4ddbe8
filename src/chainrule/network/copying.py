"""A network made once more, in part anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chainrule.network.network import Network
from chainrule.nn.parameters import flat_names


def renewed(
    network: Network,
    function: Callable[..., Any] | None = None,
    *,
    seed: int | None = None,
    dtype: Any = None,
    frozen: Sequence[str] | None = None,
) -> Network:
    """Another network like this one, with what is given here in place of its own.

    One that has been built keeps its parameters as long as it keeps its function; otherwise they are drawn anew.
    """
    built = network.is_built and function in (None, network.function)
    return Network(
        network.function if function is None else function,
        seed=network.seed if seed is None else seed,
        dtype=network.dtype.name if dtype is None else dtype,
        frozen=network.frozen if frozen is None else frozen,
        parameters=flat_names(network.parameters) if built else network.first_values,
    )
