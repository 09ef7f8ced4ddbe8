"""Settings inside a setting, reached as scikit-learn reaches them: `optimizer__learning_rate`, `network__dense_0__units`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from sklearn.base import BaseEstimator

from chainrule.errors import ChainruleError
from chainrule.network import Network
from chainrule.network.copying import renewed
from chainrule.nn.model import Sequential, names_in_a_row
from chainrule.tabular import Recipe
from chainrule.training import as_loss, as_optimizer


def _as_recipe(given: Recipe | None) -> Recipe:
    """A recipe, the usual one by default."""
    return Recipe() if given is None else given


READERS = {"optimizer": as_optimizer, "loss": as_loss, "recipe": _as_recipe}


class NestedParameters(BaseEstimator):
    """An estimator some of whose parameters have settings of their own inside."""

    _nested: ClassVar[tuple[str, ...]] = ()

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Get parameters for this estimator.

        Parameters
        ----------
        deep : bool, default=True
            If True, also what is inside others: `optimizer__learning_rate`, `network__dense_0__units`, `recipe__dropout`.

        Returns
        -------
        params : dict
            Parameter names mapped to their values.
        """
        params: dict[str, Any] = super().get_params(deep)
        if deep:
            for name in self._nested:
                params |= {f"{name}__{key}": value for key, value in settings_of(name, params[name]).items()}
        return params

    def set_params(self, **params: Any) -> Any:
        """Set the parameters of this estimator, also those inside others.

        Parameters
        ----------
        **params : dict
            Estimator parameters.

        Returns
        -------
        self : object
            The estimator.
        """
        inside: dict[str, dict[str, Any]] = {}
        own = {}
        for key, value in params.items():
            name, _, rest = key.partition("__")
            if rest and name in self._nested:
                inside.setdefault(name, {})[rest] = value
            else:
                own[key] = value
        super().set_params(**own)
        for name, changes in inside.items():
            setattr(self, name, with_settings(name, getattr(self, name), changes))
        return self


def settings_of(name: str, value: Any) -> dict[str, Any]:
    """The settings inside a parameter's value, by their names after the parameter's."""
    if isinstance(value, Network):
        return {"seed": value.seed, "frozen": value.frozen} | {
            f"{layer}__{field}": setting
            for layer, described in _layers(value).items()
            for field, setting in _fields(described).items()
        }
    try:
        return _fields(READERS[name](value)) if name in READERS else {}
    except ChainruleError:  # no value for this parameter, as `fit` will say
        return {}


def with_settings(name: str, value: Any, changes: Mapping[str, Any]) -> Any:
    """The value with some of its settings changed; values are never changed in place."""
    known = settings_of(name, value)
    for key in changes:
        if key not in known:
            raise ValueError(
                f"Invalid parameter {name}__{key!s}. Valid parameters are: {[f'{name}__{k}' for k in known]}."
            )
    if not isinstance(value, Network):
        read: Any = READERS[name]
        return dataclasses.replace(read(value), **changes)
    layers = _layers(value)
    for layer, described in layers.items():
        own = {key.removeprefix(f"{layer}__"): new for key, new in changes.items() if key.startswith(f"{layer}__")}
        if own:
            layers[layer] = dataclasses.replace(described, **own)
    function = value.function
    if layers and isinstance(function, Sequential):
        new = {id(old): layers[layer] for layer, old in _layers(value).items()}
        function = Sequential(tuple(new.get(id(layer), layer) for layer in function.layers))
    return renewed(value, function, seed=changes.get("seed"), frozen=changes.get("frozen"))


def _layers(network: Network) -> dict[str, Any]:
    """The layers of a row, by their names; a function keeps its own to itself."""
    function = network.function
    return names_in_a_row(function.layers) if isinstance(function, Sequential) else {}


def _fields(described: Any) -> dict[str, Any]:
    if not dataclasses.is_dataclass(described):
        return {}
    return {field.name: getattr(described, field.name) for field in dataclasses.fields(described) if field.init}
