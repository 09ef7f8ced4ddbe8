"""What every picture must be: well-formed, inside its frame, nothing on top of anything else."""

from xml.etree import ElementTree

import numpy as np

from chainrule.explanation.drawing.scene import Box, Curve, Ellipse, Group, Rectangle

SVG = "{http://www.w3.org/2000/svg}"


def texts_of(drawing):
    """Every line of text in the SVG, read back by an XML parser."""
    return [element.text for element in ElementTree.fromstring(drawing.svg).iter(f"{SVG}text")]


def is_solid(group):
    """Whether a group is a box with something in it: a value, an operation, a tag, a neuron, a block."""
    first = group.shapes[0] if group.shapes else None
    return isinstance(first, Rectangle | Ellipse) and first.fill is not None


def solids(shapes, x=0.0, y=0.0):
    """The outermost boxes, with their places in the picture."""
    for shape in shapes:
        if isinstance(shape, Group):
            if is_solid(shape):
                yield shape.at(shape.x + x, shape.y + y)
            else:
                yield from solids(shape.shapes, shape.x + x, shape.y + y)


def curves(shapes, x=0.0, y=0.0):
    """All lines outside boxes, as lists of points on them."""
    for shape in shapes:
        if isinstance(shape, Group) and not is_solid(shape):
            yield from curves(shape.shapes, shape.x + x, shape.y + y)
        elif isinstance(shape, Curve):
            yield [(px + x, py + y) for px, py in points_on(shape)]


def points_on(curve, steps=16):
    """Points along a curve of cubic Bézier pieces."""
    yield curve.points[0]
    for i in range(0, len(curve.points) - 1, 3):
        a, b, c, d = curve.points[i : i + 4]
        for k in range(1, steps + 1):
            t = k / steps
            weights = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
            yield tuple(sum(w * p[axis] for w, p in zip(weights, (a, b, c, d), strict=True)) for axis in (0, 1))


def text_box(text):
    """About where a line of text is; letters are a little less high than their size."""
    start = {"start": text.x, "middle": text.x - text.width / 2, "end": text.x - text.width}[text.anchor]
    return Box(start, text.y - 0.75 * text.size, text.width, 0.8 * text.size)


def overlapping(boxes, margin):
    """The places of two boxes that share more than their edges, or come nearer each other than `margin`."""
    starts = np.array([(box.x, box.y) for box in boxes]).reshape(-1, 2)
    ends = starts + np.array([(box.width, box.height) for box in boxes]).reshape(-1, 2)
    begins_before = (starts[:, None] < ends + margin).all(axis=-1)
    return np.argwhere(np.triu(begins_before & begins_before.T, 1))


def check_picture(drawing):
    """The rules that hold for every drawing."""
    scene = drawing.scene
    root = ElementTree.fromstring(drawing.svg)
    assert root.tag == f"{SVG}svg"
    assert root.find(f"{SVG}title").text
    assert root.find(f"{SVG}desc").text
    for element in root.iter():
        assert not any(word in value for value in element.attrib.values() for word in ("nan", "inf", "e+", "e-"))
    frame = Box(0, 0, scene.width, scene.height)
    boxes = list(solids(scene.shapes))
    for group in boxes:
        assert frame.contains(group.box), group.name
    for a, b in overlapping([group.box for group in boxes], -0.01):
        raise AssertionError((boxes[a].name or boxes[a].tip, boxes[b].name or boxes[b].tip))
    points = np.array([point for line in curves(scene.shapes) for point in line]).reshape(-1, 2)
    assert (points >= 0).all()
    assert (points <= (scene.width, scene.height)).all()
    for group in boxes:
        inside = (points > (group.x + 4, group.y + 1)) & (
            points < (group.x + group.width - 4, group.y + group.height - 1)
        )
        hits = points[inside.all(axis=1)]
        assert not len(hits), (group.name or group.tip, hits[0])
    written = [(text, text_box(text)) for text in scene.texts()]
    for text, box in written:
        assert frame.contains(box), text
    for a, b in overlapping([box for _, box in written], -0.5):
        raise AssertionError((written[a][0], written[b][0]))
