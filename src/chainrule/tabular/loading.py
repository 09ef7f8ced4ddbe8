"""Model files read again: networks, and models of tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from chainrule.errors import ModelFileError
from chainrule.network import load as load_network
from chainrule.tabular.model import NOTES, TableModel


def load(
    path: str | Path, *, function: Callable[..., Any] | None = None, custom: Mapping[str, Any] | None = None
) -> Any:
    """Read what `network.save` or `TableModel.save` wrote.

    Parameters
    ----------
    path : str or Path
        The file.
    function : callable, optional
        For a network made of a function: that function. Code is not in the file.
    custom : mapping, optional
        Your own layers, losses, activations and functions by the names they had: `{"Scale": Scale}`.

    Returns
    -------
    Network or TableModel

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ModelFileError
        When the file is damaged, truncated, or not one of chainrule's, or needs code it was not given.

    Examples
    --------
    >>> import os, tempfile, numpy as np, chainrule as cr
    >>> network = cr.Network([cr.Dense(2)]).build(3)
    >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
    >>> network.save(path)
    >>> bool((cr.load(path)(np.ones((1, 3))) == network(np.ones((1, 3)))).all())
    True
    """
    network = load_network(path, function=function, custom=custom)
    if NOTES not in network.notes:
        return network
    try:
        return TableModel.of(network)
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from error
