"""Random small networks: they train, and the gradient of their objective equals finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.nn import ACTIVATIONS
from chainrule.nn.parameters import flat_names
from chainrule.training import LOSSES, OPTIMIZERS, Batch, Objective, Penalty, heads_of
from making import numerical_gradient, targets_for
from trying import examples

HIDDEN = [name for name in ACTIVATIONS if name not in ("step", "exp", "log_softmax")]
LINKS = ("sigmoid", "softmax", "exp", "identity")
DIFFERENT = {("sigmoid", "softmax"), ("softmax", "sigmoid")}  # endings and links that contradict each other

layers = st.one_of(
    st.builds(cr.Dense, st.integers(1, 4), st.sampled_from(HIDDEN), bias=st.sampled_from(["normal", None])),
    st.builds(cr.Activation, st.sampled_from(HIDDEN)),
    st.builds(cr.Dropout, st.sampled_from([0.0, 0.3])),
    st.builds(cr.Flatten),
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Any, list[Any], int, int]:
    """A loss, the layers of a network for it, and numbers of features and rows."""
    loss = draw(st.sampled_from(list(LOSSES.values())))
    width = 3 if loss.link == "softmax" else draw(st.integers(2, 3))
    ending = draw(st.sampled_from([name for name in LINKS if (name, loss.link) not in DIFFERENT]))
    row = [*draw(st.lists(layers, max_size=3)), cr.Dense(width, ending, bias="normal")]
    return loss, row, draw(st.integers(1, 4)), draw(st.integers(2, 7))


@given(
    case=cases(),
    seed=st.integers(0, 1000),
    optimizer=st.sampled_from(list(OPTIMIZERS.values())),
    batch_size=st.integers(1, 8),
    penalty=st.sampled_from([Penalty(), Penalty(l1=0.01, l2=0.1)]),
)
@examples(30)
def test_random_networks_train_and_have_the_right_gradient(
    case: Any, seed: int, optimizer: Any, batch_size: int, penalty: Penalty
) -> None:
    loss, row, features, rows = case
    width = row[-1].units
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(rows, features)), targets_for(loss, rows, width, seed)
    y = y.astype(np.int32) if y.ndim == 1 else y
    network = cr.Network(row, dtype="float64", seed=seed).build(features)

    heads = heads_of(network.model, loss)
    batch = Batch((X,), (y,), (None,), random.uniform(0.5, 2, rows))
    objective = Objective(network.model, tuple(heads), penalty)
    key = np.uint32(seed)  # dropout included: with one key its mask is the same in every pass
    gradient = flat_names(cr.grad(lambda p: objective(p, batch, key)[0])(network.parameters))
    for name, value in flat_names(network.parameters).items():
        layer, _, own = name.rpartition(".")

        def of(v: Any, layer: str = layer, own: str = own) -> float:
            parameters = {**network.parameters, layer: {**network.parameters[layer], own: v}}
            return float(objective(parameters, batch, key)[0])

        wide, narrow = numerical_gradient(of, value, 1e-5), numerical_gradient(of, value, 3e-6)
        rounding = 1e-7 * max(1.0, abs(of(value)))
        smooth = np.isclose(wide, narrow, rtol=1e-4, atol=rounding)  # a kink within the nudge shows as a difference
        np.testing.assert_allclose(gradient[name][smooth], wide[smooth], rtol=1e-4, atol=10 * rounding)
        assert smooth.mean() >= 0.5 or value.size < 4

    history = network.fit(
        X, y, loss=loss, optimizer=optimizer, epochs=3, batch_size=batch_size, l1=penalty.l1, l2=penalty.l2,
        clip_norm=10.0, progress=False,
    )  # fmt: skip
    assert history.epochs == 3
    assert np.isfinite(history["loss"]).all()
    assert network.predict(X).shape[0] == rows
