"""Scenes as files: SVG that parses, PNG and PDF that hold the same shapes, and bars."""

import math
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from looking import SVG, check_picture, solids, texts_of

import chainrule as cr
from chainrule.errors import SettingError
from chainrule.explanation.drawing import Drawing, draw_bars
from chainrule.explanation.drawing.palette import colour_of, number, shade, sign_of, signed, thickness_of
from chainrule.explanation.drawing.pieces import pooled, range_text
from chainrule.explanation.drawing.scene import text_width
from chainrule.explanation.drawing.svg import escape


@pytest.fixture
def drawing():
    network = cr.Network([cr.Dense(2, "tanh"), cr.Dense(1)], seed=3).build(2)
    return network.draw([[1.0, 2.0]], [[1.0]], loss="squared_error")


@pytest.mark.parametrize(("ending", "start"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_saving(drawing, tmp_path, ending, start):
    path = drawing.save(tmp_path / f"picture.{ending}")
    assert path.read_bytes().startswith(start)


def test_the_png_has_colours_where_the_shapes_are(drawing, tmp_path):
    from matplotlib.colors import to_rgb
    from matplotlib.image import imread

    picture = imread(drawing.save(tmp_path / "picture.png", dpi=96))
    assert picture.shape[:2] == pytest.approx((drawing.scene.height, drawing.scene.width), abs=2)
    for group in solids(drawing.scene.shapes):
        frame = group.shapes[0]
        x, y = group.x + 3, group.y + group.height / 2  # where no letters are
        colour = picture[round(y), round(x), :3]
        assert colour == pytest.approx(to_rgb(frame.fill), abs=0.02), (group.name, group.tip)


def test_other_endings_are_refused(drawing, tmp_path):
    with pytest.raises(SettingError, match="svg"):
        drawing.save(tmp_path / "picture.bmp")
    with pytest.raises(SettingError, match="dpi"):
        drawing.save(tmp_path / "picture.png", dpi=0)


def test_notebooks_and_terminals(drawing):
    assert drawing._repr_svg_() == drawing.svg
    assert str(drawing).startswith("Drawing(2-2-1 network;")
    assert len(str(drawing)) < 100


def test_nothing_in_the_svg_reaches_beyond_it(drawing):
    """No style sheet and no id, which would act on the page around it; no address but the namespace."""
    root = ElementTree.fromstring(drawing.svg)
    assert not list(root.iter(f"{SVG}style"))
    assert not [element for element in root.iter() if "id" in element.attrib or "class" in element.attrib]
    assert drawing.svg.count("http") == 1


@given(st.text())
def test_any_text_is_escaped(text):
    element = ElementTree.fromstring(f'<a b="{escape(text)}">{escape(text)}</a>')
    read = element.text or ""
    assert len(read) == len(text) == len(element.get("b"))
    assert all(a in (b, "�") for a, b in zip(read, text, strict=True))
    assert escape("a<b&c>d") == "a&lt;b&amp;c&gt;d"


@given(st.floats(allow_nan=False), st.integers(1, 8))
def test_numbers_in_writing(x, digits):
    text = number(x, digits).replace("−", "-").replace("∞", "inf")
    assert float(text) == float(f"{x:.{digits}g}")
    assert signed(x, digits).startswith("+") == (x > 0)


@given(st.floats(-1e300, 1e300), st.floats(1e-300, 1e300))
def test_sign_and_size_are_seen(x, largest):
    assert colour_of(x) == colour_of(-x) if x == 0 else colour_of(x) != colour_of(-x)
    assert 0.8 <= thickness_of(x, largest) <= 4
    assert (shade(x, largest) == "#ffffff") == (sign_of(x) == 0 or abs(x) / largest < 1e-9 / 8)
    assert thickness_of(x, largest) <= thickness_of(2 * x, largest)


@pytest.mark.parametrize("bold", [False, True])
def test_text_is_never_wider_than_the_room_made_for_it(bold):
    """Against the letters of DejaVu Sans, the widest of the fonts named in the SVG."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
    samples = [chr(c) * 8 for c in (33, 34, 35, *range(37, 127), *map(ord, "−×÷∂Σ→…—∞ασ≤≥°µéÜ"))]
    samples += ["hidden[0]", "Dense, 2 neurons, sigmoid", "+0.0004386", "tanh(x @ p)*tanh(x @ p)", "∂L/∂weight"]
    for text in samples:
        right = TextPath((0, 0), text, size=100, prop=font).get_extents().x1
        assert right <= 1.03 * text_width(text, 100, bold), text


def test_pooling_keeps_what_is_largest():
    matrix = np.zeros((100, 3))
    matrix[57, 1], matrix[3, 2], matrix[4, 2] = -5.0, 2.0, 1.0
    small = pooled(matrix, 10)
    assert small.shape == (10, 3)
    assert small.min() == -5
    assert small[0, 2] == 2


def test_ranges_say_what_is_not_finite():
    assert range_text(np.array([1.0, np.nan, -2.0]), 3) == "−2 … 1, 1 not finite"
    assert range_text(np.array([np.nan]), 3) == "1 not finite"
    assert range_text(np.zeros(0), 3) == "empty"
    assert range_text(np.zeros(4), 3) == "all 0"


def test_long_paths_are_written_out():
    """On as many lines as it takes: cut in their middle, different ones would read alike."""
    paths = [" → ".join(f"layer_{i}[{i * turn}]" for i in range(20)) for turn in (1, 2)]
    drawing = draw_bars(2.0, {"by path": [(path, 1.0) for path in paths]}, title="t")
    check_picture(drawing)
    lines = [text for text in texts_of(drawing) if "layer_" in text]
    assert " ".join(lines) == " ".join(paths)
    (name,) = [x for x in texts_of(draw_bars(1.0, {"by output": [("y" * 99, 1.0)]}, title="t")) if x.startswith("yy")]
    assert name.count("…") == 1


def bars_of(drawing):
    """Lengths of bars by name, negative to the left of the axis."""
    return {
        group.tip.split(":")[0]: group.shapes[0].box
        for group in drawing.scene.groups()
        if group.tip and group.width == 0
    }


def test_bars():
    drawing = draw_bars(0.5, {"by output": [("o1", 1.5), ("o2", -1.0)]}, title="∂L/∂w")
    assert isinstance(drawing, Drawing)
    check_picture(drawing)
    assert {"∂L/∂w", "by output", "o1", "o2", "sum", "+1.5", "−1", "+0.5"} <= set(texts_of(drawing))
    bars = bars_of(drawing)
    assert bars["o1"].width == pytest.approx(1.5 * bars["o2"].width)
    assert bars["o2"].x + bars["o2"].width == pytest.approx(bars["o1"].x)


@example([float(n) for n in range(40, 0, -1)])
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_many_bars_are_folded_and_add_up(numbers):
    total = math.fsum(numbers)
    drawing = draw_bars(total, {"by path": [(f"path {i}", x) for i, x in enumerate(numbers)]}, title="t")
    check_picture(drawing)
    assert len(bars_of(drawing)) <= 25
    tips = [group.tip for group in drawing.scene.groups() if group.tip]
    shown = [float(tip.rsplit(": ", 1)[1]) for tip in tips if not tip.startswith("sum")]
    assert math.fsum(shown) == pytest.approx(total, rel=1e-9, abs=1e-6)
