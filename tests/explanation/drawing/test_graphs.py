"""Drawings of values and Programs: everything that should be read is there, and nothing covers anything."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from looking import check_picture, curves, solids, texts_of

import chainrule as cr
from chainrule.errors import SettingError, ShapeError, UnknownNameError
from chainrule.explanation.drawing.palette import NOT_COMPUTED, number, signed
from chainrule.explanation.drawing.scene import Ellipse, Rectangle
from chainrule.tracing.scope import scope
from trying import examples


def spec_example():
    a, b, c, f = cr.values(a=2.0, b=-3.0, c=10.0, f=-2.0)
    e = (a * b).named("e")
    d = (e + c).named("d")
    return (d * f).named("L"), {"a": a, "b": b, "c": c, "e": e, "d": d, "f": f}


def test_the_example_of_the_specification():
    L, others = spec_example()
    L.backward()
    drawing = L.draw()
    check_picture(drawing)
    texts = texts_of(drawing)
    for name, value in {**others, "L": L}.items():
        assert name in texts
        assert number(value.data) in texts
        assert signed(value.grad) in texts
    for slope in ("∂L/∂d = −2", "∂L/∂f = +4", "∂d/∂e = +1", "∂d/∂c = +1", "∂e/∂a = −3", "∂e/∂b = +2"):
        assert slope in texts
    assert texts.count("×") == 2
    assert texts.count("+") == 1


def test_every_local_derivative_stands_on_its_own_edge():
    L, _ = spec_example()
    L.backward()
    shapes = L.draw().scene.shapes
    boxes = {group.name: group for group in solids(shapes) if group.name}
    tags = {group.tip.split(" = ")[0]: group for group in solids(shapes) if group.tip.startswith("∂(")}
    lines = [(line[0], line[-1]) for line in curves(shapes)]
    for name, tag in tags.items():
        source = boxes[name.split("∂(")[2].rstrip(")")]
        leaves = source.x + source.width, source.y + source.height / 2
        arrives = tag.x, tag.y + tag.height / 2
        found = [start for start, end in lines if end == pytest.approx(arrives)]
        assert found == [pytest.approx(leaves)], name
    assert len(tags) == 6


def test_values_and_operations_differ_in_shape_and_colour():
    L, others = spec_example()
    kinds = {group.name or "operation": group.shapes[0] for group in solids(L.draw().scene.shapes)}
    operation = kinds.pop("operation")
    kinds = {name: shape for name, shape in kinds.items() if name in {*others, "L"}}
    assert isinstance(operation, Ellipse)
    assert all(isinstance(shape, Rectangle) for shape in kinds.values())
    fills = [kinds[name].fill for name in ("a", "e", "L")] + [operation.fill]
    assert len(set(fills)) == 4
    assert {kinds[name].fill for name in "abcf"} == {fills[0]}


def test_gradients_not_computed_are_a_dash_and_never_zero():
    L, _ = spec_example()
    texts = texts_of(L.draw())
    assert texts.count(NOT_COMPUTED) == 7
    L.backward()
    assert NOT_COMPUTED not in texts_of(L.draw())


def test_a_value_used_twice_has_two_edges():
    a = cr.Value(3.0, "a")
    b = (a * a).named("b")
    b.backward()
    texts = texts_of(b.draw())
    assert texts.count("∂b/∂a = +3") == 2
    assert "+6" in texts


def test_names_are_escaped():
    hostile = '<script>&"\x00 ]]>'
    a = cr.Value(1.0, hostile)
    b = (a + 1.0).named("b")
    drawing = b.draw()
    check_picture(drawing)
    assert hostile.replace("\x00", "�") in texts_of(drawing)
    assert "<script>" not in drawing.svg


def test_edges_that_no_derivative_passes_are_dashed():
    a, b = cr.values(a=[1.0, -2.0], b=[3.0, 4.0])
    chosen = np.sum(np.where(a > 0, a, b)).named("s")
    chosen.backward()
    drawing = chosen.draw()
    check_picture(drawing)
    assert drawing.svg.count("stroke-dasharray") == 3 + 1  # one line into `greater`, two pieces into `where`, the key
    assert "no derivative passes" in texts_of(drawing)
    L, _ = spec_example()
    assert "stroke-dasharray" not in L.draw().svg


def test_long_names_are_shortened_in_the_middle():
    a = cr.Value(1.0, "state.learned.first_hidden_layer.weight")
    texts = texts_of((a * 2.0).draw())
    assert any(text.startswith("state.") and "…" in text and text.endswith("weight") for text in texts)


def test_numbers_that_are_not_finite():
    a = cr.Value(np.array([np.nan, np.inf, -np.inf, 1.0]), "a")
    b = np.sum(a * cr.Value(np.inf, "b")).named("L")
    b.backward()
    check_picture(b.draw())


UNARY = [
    np.tanh,
    np.exp,
    np.sin,
    cr.relu,
    cr.sigmoid,
    np.square,
    np.negative,
    lambda x: x * 0.5,
    lambda x: 2.0 / (x * x + 1),
]
BINARY = [np.add, np.subtract, np.multiply, np.maximum, lambda x, y: x / (y * y + 1.0)]


@st.composite
def expressions(draw):
    """A value computed from scalars and arrays that broadcast."""
    shapes = [(), (), (3,), (2, 3), (5, 1), (40, 3)]
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    chosen = draw(st.lists(st.sampled_from(shapes[:4]), min_size=1, max_size=3))
    pool = [cr.Value(random.normal(size=shape), f"x{i}") for i, shape in enumerate(chosen)]
    for _ in range(draw(st.integers(1, 10))):
        if draw(st.booleans()):
            new = draw(st.sampled_from(UNARY))(draw(st.sampled_from(pool)))
        else:
            new = draw(st.sampled_from(BINARY))(draw(st.sampled_from(pool)), draw(st.sampled_from(pool)))
        pool.append(new)
    return pool[-1] if pool[-1].shape == () else np.sum(pool[-1])


@examples(30)
@given(expressions(), st.booleans())
def test_random_graphs(value, differentiated):
    if differentiated:
        value.backward()
    drawing = value.draw()
    check_picture(drawing)
    evaluation = value.evaluation()
    texts = texts_of(drawing)
    for x, data in evaluation.values.items():
        if np.size(data) == 1:
            assert number(np.asarray(data).item()) in texts, evaluation.label(x)


def test_deep_graphs_fold_in_the_middle():
    x = cr.Value(0.5, "x")
    y = x
    for _ in range(5000):
        y = (y * 1.001).tanh()
    y.backward()
    drawing = y.draw()
    check_picture(drawing)
    assert len(drawing.svg) < 100_000
    assert any(text.startswith("… 9,97") for text in texts_of(drawing))


def layered(x, w):
    with scope("first"):
        h = np.tanh(x @ w["a"])
    with scope("second"):
        return np.sum(h * h) + 1.0


def test_programs_without_values():
    program = cr.trace(layered, np.ones((4, 3)), {"a": np.ones((3, 2))})
    drawing = program.draw()
    check_picture(drawing)
    texts = texts_of(drawing)
    assert {"@", "tanh", "Σ", "float64[4,2]", "x"} <= set(texts)


def test_programs_with_inputs_show_values_and_gradients():
    program = cr.trace(layered, np.ones((4, 3)), {"a": np.ones((3, 2))})
    x, w = np.full((4, 3), 0.1), {"a": np.full((3, 2), 0.5)}
    drawing = program.draw(x, w)
    check_picture(drawing)
    assert number(8 * np.tanh(0.15) ** 2 + 1) in texts_of(drawing)
    with pytest.raises(ShapeError, match=r"x has shape \(4, 3\)"):
        program.draw(np.ones((5, 3)), w)
    with pytest.raises(ShapeError, match="2 inputs"):
        program.draw(x)


def test_operations_say_which_axes_and_numbers_they_take():
    def f(x):
        return np.maximum(np.mean(np.sum(x, axis=(0, 2)) ** 3, axis=0), -0.5) * 2 + 1 / x[0, 0, 0] - (-1.5)

    drawing = cr.trace(f, np.ones((2, 3, 4))).draw(np.full((2, 3, 4), 0.5))
    check_picture(drawing)
    assert {"Σ axis 0, 2", "mean", "^ 3", "max(·, −0.5)", "× 2", "1 ÷", "− (−1.5)"} <= set(texts_of(drawing))


def test_depth_and_focus_fold_scopes():
    program = cr.trace(layered, np.ones((4, 3)), {"a": np.ones((3, 2))})
    folded = texts_of(program.draw(depth=1))
    assert {"first", "second"} <= set(folded)
    assert not {"tanh", "Σ"} & set(folded)
    focused = texts_of(program.draw(focus="first"))
    assert "tanh" in focused
    assert "Σ" not in focused
    whole = texts_of(program.draw(depth=0))
    assert "4 operations" in " ".join(whole) or "5 operations" in " ".join(whole)
    with pytest.raises(UnknownNameError, match="first"):
        program.draw(focus="frist")
    for wrong in ({"depth": -1}, {"digits": 0}, {"depth": 1.5}):
        with pytest.raises(SettingError):
            program.draw(**wrong)


def test_conditions_are_drawn_with_their_truth():
    x = cr.Value(2.0, "x")
    chosen = np.where(x > 1.0, x**2, -x)
    chosen.backward()
    picture = chosen.draw()
    check_picture(picture)
    assert "True" in picture.svg
