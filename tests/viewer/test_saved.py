"""Saved files: they ask nobody for anything, replay forwards and backwards to the bit, and stay small."""

import base64
import gzip
import hashlib
import json
import re
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.viewer.datasets import in_the_plane
from chainrule.viewer.grids import as_grid, in_steps, is_grid
from chainrule.viewer.hosts import replay as replays
from chainrule.viewer.hosts.patches import patch
from chainrule.viewer.hosts.replay import COMMANDS, ROOM, packed, replay

NAMESPACES = {"http://www.w3.org/1998/Math/MathML", "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"}
NAMESPACES |= {"http://www.w3.org/1999/xlink", "http://www.w3.org/XML/1998/namespace"}


class Document(HTMLParser):
    """The elements of a file, with their attributes and texts."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes), ""))

    def handle_data(self, data):
        if self.lasttag == "script" and self.cdata_elem:
            tag, attributes, text = self.elements[-1]
            self.elements[-1] = (tag, attributes, text + data)

    def texts(self, tag, **wanted):
        return [text for name, own, text in self.elements if name == tag and wanted.items() <= own.items()]


def recording_in(text):
    (content,) = Document(text).texts("script", type="application/json")
    return json.loads(content if content.startswith("{") else gzip.decompress(base64.b64decode(content)))


def patched(value, changes):
    """The value after a patch, as a front end finds it."""
    value = json.loads(json.dumps(value))
    for pointer, new in changes.items():
        *way, last = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
        place = value
        for step in way:
            place = place[int(step) if isinstance(place, list) else step]
        place[int(last) if isinstance(place, list) else last] = new
    return value


def frames_of(recording):
    frames = [recording["parts"]]
    for i, position in enumerate(recording["positions"][1:]):
        changes = {pointer: new for patches in recording["patches"].values() for pointer, new in patches[i].items()}
        frames.append(patched(frames[-1], changes) | {"position": position})
    return frames


def numbers_of(grid):
    """The numbers of a grid, as a front end finds them."""
    raw = base64.b64decode(grid["values"])
    if "unit" not in grid:
        return np.frombuffer(raw, "<f4")
    return (np.frombuffer(raw, np.uint8) + float(grid["first"]) + 0.5) * grid["unit"]


@pytest.fixture(scope="module")
def view():
    X, y = cr.datasets.xor()
    network = cr.Network([cr.Dense(3, "tanh", name="hidden"), cr.Dense(1, name="output")], seed=2)
    view = cr.view(network, X, y, loss="mse", optimizer=cr.SGD(0.3), epochs=12)
    view.do("train", wait=True)
    view.do("go", step=4)
    view.do("select", key="output.weight[1, 0]", depth="factors")
    return view


@pytest.fixture(scope="module")
def text(view, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "lesson.html"
    return view.save(
        path, frames=5, select=["hidden.weight[0, 1]", "output.bias[0]"], panels=view.session.panel_names
    ).read_text(encoding="utf-8")


PICTURE = ("values", "least", "greatest", "unit", "first")


def without_pictures(parts):
    """What has to be the same to the bit: all but the surfaces, which are recorded in few steps."""
    if isinstance(parts, dict):
        left_out = ("meta", *PICTURE) if "least" in parts else ("meta",)
        return {name: without_pictures(x) for name, x in parts.items() if name not in left_out}
    return [without_pictures(x) for x in parts] if isinstance(parts, list) else parts


def close(picture, part):
    """The numbers of a picture stand where those of the part do, to about a fiftieth of the largest."""
    found, wanted = (np.array(numbers_in(x)) for x in (picture, part))
    assert found.shape == wanted.shape
    assert not found.size or np.abs(found - wanted).max() <= 0.02 * np.abs(wanted).max()


def numbers_in(value):
    if isinstance(value, dict) and is_grid(value):
        return numbers_of(value).tolist()
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [x for one in inside for x in ([one] if isinstance(one, float) else numbers_in(one))]


def test_nobody_is_asked_for_anything(text):
    assert set(re.findall(r"\w+://[^\s\"'`<>\\)]*", text)) <= NAMESPACES
    for tag, attributes, _ in Document(text).elements:
        assert attributes.keys().isdisjoint({"src", "srcset", "action", "onload", "style"}), tag
        assert attributes.get("href", "data:,") == "data:,"


def test_the_policy_allows_the_file_s_own_script_alone(text):
    document = Document(text)
    (policy,) = [own["content"] for tag, own, _ in document.elements if tag == "meta" and "http-equiv" in own]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    (module,) = document.texts("script", type="module")
    digest = base64.b64encode(hashlib.sha256(module.encode()).digest()).decode()
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == f"'sha256-{digest}'"
    assert "connect-src" not in rules
    assert text.index("Content-Security-Policy") < text.index("<script")


def test_it_replays_to_the_bit_forwards_and_backwards(view, text):
    recording = recording_in(text)
    frames = frames_of(recording)
    steps = [(frame["position"]["step"], frame["position"]["operation"]) for frame in frames]
    assert [step for step, done in steps if done is None] == [0, 3, 4, 6, 9, 12]
    assert [done for step, done in steps if step == 4] == [*range(view.parts["position"]["operations"]), None]
    panels = view.session.panel_names
    view.do("select", key=None)
    for name in panels:
        view.do("panel", name=name)
    for (step, done), frame in zip(steps, frames, strict=True):
        view.do("go", step=step, operation=done)
        live = json.loads(json.dumps(dict(view.parts)))
        for name in view.session.digits:
            close(frame.pop(name), live.pop(name))
        assert without_pictures(frame) == without_pictures(live)
    for before, after in zip(frames[-2::-1], frames[:0:-1], strict=True):
        assert patched(after, patch(after, before)) == before
    for name in panels:
        view.do("panel", name=name, open=False)


def test_reasons_are_what_selecting_gave(view, text):
    recording = recording_in(text)
    frames = frames_of(recording)
    assert recording["answers"].keys() == {"hidden.weight[0, 1]", "output.bias[0]"}
    for key, depths in recording["answers"].items():
        assert depths.keys() == {"layers", "factors", "terms"}
        for depth, moments in depths.items():
            assert {"0", str(len(frames) - 1)} <= moments.keys()
            for moment, parts in moments.items():
                position = frames[int(moment)]["position"]
                view.do("go", step=position["step"], operation=position["operation"])
                view.do("select", key=key, depth=depth)
                assert parts == json.loads(json.dumps({name: view.parts[name] for name in parts}))


def test_only_what_a_file_answers_is_offered(text):
    meta = recording_in(text)["parts"]["meta"]
    assert meta["saved"] is True
    assert set(meta["panels"]) >= {"histograms", "surface", "warp"}
    assert set(meta["commands"]) == set(COMMANDS)


def test_the_view_stands_where_it_stood(view, tmp_path):
    view.do("go", step=4, operation=3)
    view.do("select", key="output.weight[1, 0]", depth="factors")
    before, heard = json.dumps(dict(view.parts)), []
    stop = view.session.listen(heard.append)
    leave = view.session.listen(lambda _: None)
    with view.session.unheard():
        leave()  # a tab that is closed meanwhile
        view.do("go", step=5)
        view.do("go", step=4, operation=3)
    heard.clear()
    view.save(tmp_path / "x.html", frames=2, select=[])
    stop()
    assert view.session._listeners == []
    assert json.dumps(dict(view.parts)) == before
    assert heard == [view.parts], "nobody hears of what happens meanwhile"


def test_a_file_opens_with_numbers(view):
    view.do("go", step=0)
    first, then, *_, last = frames_of(replay(view.session, 2, []))
    assert [(x["position"]["step"], x["position"]["operation"]) for x in (first, then, last)] == [
        (0, None),
        (0, 0),
        (12, None),
    ]
    view.do("go", step=4)


def test_panels_that_take_long_are_recorded_when_they_are_open(view):
    slow = set(view.session.slow_names) & set(view.session.panel_names)
    assert "surface" in slow
    parts = replay(view.session, 1, [])["parts"]
    assert {name for name in view.session.panel_names if parts[name] is not None} >= {"histograms", "warp"}
    assert [parts[name] for name in slow] == [None] * len(slow)
    assert "doctor" not in parts["meta"]["panels"]
    view.do("panel", name="doctor")
    assert replay(view.session, 1, [])["parts"]["doctor"] is not None
    assert replay(view.session, 1, [], ["warp"])["parts"]["doctor"] is None
    assert view.session.panels == {"doctor"}
    view.do("panel", name="doctor", open=False)


def test_the_same_view_gives_the_same_file(view):
    assert packed(replay(view.session, 2, [])) == packed(replay(view.session, 2, []))


def test_surfaces_lose_little(view):
    view.do("go", step=12)
    kept, exact = frames_of(replay(view.session, 1, []))[-1]["data"]["surface"], view.parts["data"]["surface"]
    assert len(base64.b64decode(kept["values"])) == kept["columns"] * kept["rows"]
    a, b = numbers_of(kept), numbers_of(exact)
    assert np.abs(a - b).max() <= (exact["greatest"] - exact["least"]) / 30


@pytest.mark.parametrize(
    "numbers", [[[0.0]], [[7.25, 7.25]], [[1e30, -1e30]], [[3.0, np.inf]], [[5e-40, 0.0]], [[0.999, 1.0, 2.5]]]
)
def test_grids_in_steps(numbers):
    exact = as_grid(np.array(numbers))
    kept = in_steps(exact)
    a, b = numbers_of(kept), numbers_of(exact).astype(float)
    assert np.abs(a - b).max() <= max(np.ptp(b) / 30, 2e-6 * np.abs(b).max(), 1e-30)
    assert kept["unit"] > 1 or np.floor(a).tolist() == np.floor(b).tolist()  # a class stays what it is


def test_values_and_untrained_networks_are_one_frame(tmp_path):
    a, b = cr.values(a=2.0, b=-3.0)
    text = cr.view((a * b).named("L")).save(tmp_path / "product.html").read_text(encoding="utf-8")
    recording = recording_in(text)
    assert len(recording["positions"]) == 1
    assert recording["answers"].keys() >= {"a", "b"}
    assert recording["answers"]["a"]["layers"]["0"]["selection"]["gradient"] == -3.0
    network = cr.Network([cr.Dense(1, name="o")], seed=0)
    assert len(replay(cr.view(network, [[1.0]], [2.0], loss="mse").session, None, None)["positions"]) == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"frames": 0}, "frames"),
        ({"frames": [0, 99]}, "there are the steps 0 to 12"),
        ({"frames": ["x"]}, "how many steps, or their numbers"),
        ({"frames": 1.5}, "how many steps, or their numbers"),
        ({"frames": [True]}, "how many steps, or their numbers"),
        ({"select": "hidden.weight[0, 0]"}, "names of numbers in a list"),
        ({"panels": "doctor"}, "names of panels in a list"),
        ({"select": ["hidden.wait[0, 0]"]}, "hidden"),
        ({"panels": ["histogram"]}, "histograms"),
    ],
    ids=str,
)
def test_what_cannot_be_recorded_is_refused_and_nothing_written(view, tmp_path, options, says):
    before = dict(view.parts)
    with pytest.raises(cr.ChainruleError, match=says):
        view.save(tmp_path / "x.html", **options)
    assert not (tmp_path / "x.html").exists()
    assert view.parts == before


def test_halves_of_characters_in_names_are_kept(tmp_path):
    a, b = cr.values(a=2.0, b=3.0)
    recording = recording_in(cr.view((a * b).named("L\ud800")).save(tmp_path / "x.html").read_text(encoding="utf-8"))
    assert "L\ud800" in json.dumps(recording["parts"], ensure_ascii=False)


@pytest.mark.parametrize("frames", [0, -3, 1.5, "a", [1], ["a"]], ids=str)
def test_steps_of_what_has_none_are_refused_too(tmp_path, frames):
    a, _ = cr.values(a=2.0, b=3.0)
    with pytest.raises(cr.ChainruleError, match="save was given frames"):
        cr.view((a * 3).named("L")).save(tmp_path / "x.html", frames=frames)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("model.safetensors", cr.errors.SettingError),  # which it would have cost
        ("page", cr.errors.SettingError),
        ("", cr.errors.SettingError),
        (None, cr.errors.SettingError),
        ("x\0.html", cr.errors.SettingError),
        ("folder.html", IsADirectoryError),
        ("nowhere/x.html", FileNotFoundError),
    ],
    ids=str,
)
def test_places_are_looked_at_before_the_work(view, tmp_path, name, error, monkeypatch):
    monkeypatch.setattr(replays, "replay", None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "model.safetensors").write_bytes(b"a model")
    with pytest.raises(error):
        view.save(name)
    assert (tmp_path / "model.safetensors").read_bytes() == b"a model"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.html", "model.safetensors"]


def test_where_there_is_no_room_the_file_that_was_there_stays(tmp_path):
    resource = pytest.importorskip("resource", reason="there are no limits of sizes on this system")
    a, _ = cr.values(a=2.0, b=3.0)
    view = cr.view((a * 3).named("L"))
    view.save(tmp_path / "x.html")
    before = (tmp_path / "x.html").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.raises(OSError, match=r"x\.html"):
            view.save(tmp_path / "x.html")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "x.html").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["x.html"]


def test_a_run_over_500_steps_is_below_3_megabytes():
    X, y = in_the_plane("circle")
    layers = [cr.Dense(4, "tanh", name="first"), cr.Dense(4, "tanh", name="second"), cr.Dense(1, "sigmoid", name="o")]
    view = cr.view(cr.Network(layers, seed=0), X, y, loss="binary_cross_entropy", epochs=72)
    view.do("train", wait=True)
    steps = view.parts["position"]["steps"]
    assert steps > 500
    view.do("go", step=250)
    operations = len(replay(view.session, [250], [])["positions"])
    recording = replay(view.session, range(240, 260), [])
    room = sum(len(packed(recording[name])) for name in ("patches", "positions"))
    assert room * (steps + operations) / len(recording["positions"]) < ROOM


def test_moments_are_left_out_where_all_would_not_fit(view, monkeypatch):
    every = replay(view.session, None, ["output.bias[0]"])
    assert {position["step"] for position in every["positions"]} == set(range(13))
    monkeypatch.setattr(replays, "ROOM", int(0.95 * len(packed(every["patches"]))))
    fewer = replay(view.session, None, ["output.bias[0]"])
    assert len(packed(fewer["patches"])) < replays.ROOM
    steps = [position["step"] for position in fewer["positions"] if position["operation"] is None]
    assert 3 <= len(steps) < 13
    assert {0, 4, 12} <= set(steps)
    for moment, parts in fewer["answers"]["output.bias[0]"]["layers"].items():
        view.do("go", step=fewer["positions"][int(moment)]["step"])
        assert parts["selection"]["gradient"] == view.subject.gradient("output.bias[0]")
    view.do("go", step=4)


def test_files_are_written_without_the_extra(view, tmp_path, monkeypatch):
    for library in ("anywidget", "starlette", "uvicorn", "websockets"):
        monkeypatch.setitem(sys.modules, library, None)
    for module in ("page", "widget"):
        monkeypatch.delitem(sys.modules, f"chainrule.viewer.hosts.{module}", raising=False)
    assert view.save(tmp_path / "x.html", frames=1, select=[]).exists()
    for reach in (lambda: view.open(browser=False), lambda: view.widget):
        with pytest.raises(cr.errors.MissingExtraError, match=r'pip install "chainrule\[view\]"'):
            reach()
    shown = view._repr_mimebundle_()
    assert shown.keys() == {"text/html", "text/plain"}
    assert 'pip install "chainrule[view]"' in shown["text/html"]
    assert shown["text/html"].startswith("<img src=")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("a/~0", max_size=3),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text("a/~01", max_size=3), x, max_size=3),
)


@given(st.dictionaries(st.text("a/~01", max_size=3), JSON), st.data())
def test_patches_lead_from_one_value_to_another(before, data):
    after = {name: data.draw(JSON | st.just(value)) for name, value in before.items()}
    found = patched(before, patch(before, after))
    assert json.dumps(found, sort_keys=True) == json.dumps(after, sort_keys=True)
