"""Saved files in Chromium, from the disk and offline: they show what Python recorded, forwards and backwards, and ask for nothing."""

import json

import pytest

import chainrule as cr
from chainrule.viewer.hosts.replay import replay


@pytest.fixture(scope="module")
def view():
    X, y = cr.datasets.xor()
    layers = [cr.Dense(3, "tanh", name="hidden"), cr.Dense(1, name="output")]
    view = cr.view(cr.Network(layers, seed=0), X, y, loss="mse", optimizer=cr.SGD(0.3), epochs=20)
    view.do("train", wait=True)
    view.do("rows", rows=[2])
    return view


@pytest.fixture(scope="module")
def path(view, tmp_path_factory):
    return view.save(tmp_path_factory.mktemp("saved") / "lesson.html", frames=5, select=["hidden.bias[1]"])


def assert_numbers(view, tab, step):
    view.do("go", step=step)
    found = tab.numbers()
    subject = view.subject
    assert len(found) > 40
    assert found == [(key, subject.gradient(key) if key.startswith("∂") else subject.number(key)) for key, _ in found]


def test_it_shows_what_python_showed_and_asks_for_nothing(view, path, tab):
    tab = tab()
    tab.page.context.set_offline(True)
    tab.go(path.as_uri())
    seen = {}
    for step, name in [
        (0, None),
        (5, "Step forward"),
        (10, "Step forward"),
        (5, "Step back"),
        (0, "Step back"),
        (20, "To the end"),
    ]:
        if name:
            tab.button(name).click()
        tab.page.get_by_text(f"step {step} of 20", exact=True).wait_for()
        assert_numbers(view, tab, step)
        assert seen.setdefault(step, tab.numbers()) == tab.numbers()
    assert tab.requests == [path.as_uri()]


def test_reasons_that_were_recorded_are_told_and_others_said_to_be_missing(view, path, tab):
    tab = tab().go(path.as_uri())
    tab.number("hidden.bias[1]").click()
    tab.page.get_by_role("heading", name="hidden.bias[1]").wait_for()
    tab.page.locator("math").first.wait_for()
    view.do("rows", rows=[2])
    assert_numbers(view, tab, 0)
    tab.number("hidden.bias[0]").click()
    tab.page.get_by_text("A saved page replays what was recorded").first.wait_for()


def test_it_is_shown_where_nothing_is_trusted(path, tab):
    tab = tab()
    tab.page.set_content("<iframe sandbox='allow-scripts' width='1200' height='800'></iframe>")
    tab.page.evaluate("(text) => { document.querySelector('iframe').srcdoc = text; }", path.read_text(encoding="utf-8"))
    tab.page.frame_locator("iframe").locator("[data-key]").first.wait_for()
    assert tab.outside("about:") == []


def test_a_value_is_a_file_too(tab, tmp_path):
    a, b = cr.values(a=2.0, b=-3.0)
    view = cr.view((a * b).named("L"))
    tab = tab().go(view.save(tmp_path / "product.html").as_uri())
    tab.number("a").click()
    tab.page.locator("math").first.wait_for()
    assert ("∂L/∂a", -3.0) in tab.numbers()
    assert json.loads(json.dumps(replay(view.session, None, ["a"])))["patches"] == {}
