"""The page in Chromium: every number is the library's, what is done there happens here, and nothing else is asked for."""

from importlib.resources import files

import pytest

import chainrule as cr

pytest.importorskip("starlette", reason="the extra `view` is not installed")


@pytest.fixture
def view():
    X, y = cr.datasets.xor()
    layers = [cr.Dense(3, "tanh", name="hidden"), cr.Dense(1, name="output")]
    view = cr.view(cr.Network(layers, seed=0), X, y, loss="mse", optimizer=cr.SGD(0.3), epochs=20)
    view.do("train", wait=True)
    yield view
    view.close()


def expected(view, key):
    subject = view.subject
    return subject.gradient(key) if key.startswith("∂") else subject.number(key)


def assert_numbers(view, tab):
    """Every number on the page is the library's, to the last digit."""
    found = tab.numbers()
    assert len(found) > 20
    assert found == [(key, expected(view, key)) for key, _ in found]


def settled(view, tab):
    """What is shown is what Python has."""
    drawn = view.parts["position"]
    tab.page.get_by_text(f"step {drawn['step']} of {drawn['steps']}", exact=True).wait_for()
    tab.wait_for(lambda: all(value == expected(view, key) for key, value in tab.numbers()))


def test_numbers_their_derivations_and_no_request_to_anywhere(view, tab):
    view.do("rows", rows=[2])
    tab = tab().go(view.open(browser=False))
    assert_numbers(view, tab)
    tab.number("hidden.bias[1]").click()
    tab.page.get_by_role("heading", name="hidden.bias[1]").wait_for()
    tab.page.locator("math").first.wait_for()
    assert_numbers(view, tab)
    assert view.parts["selection"]["key"] == "hidden.bias[1]"
    slopes = tab.page.locator('math [data-key="∂L/∂hidden.bias[1]"][data-value]')
    assert {float(x) for x in slopes.evaluate_all("all => all.map((x) => x.dataset.value)")} == {
        view.subject.gradient("hidden.bias[1]")
    }
    host = view.url.partition("?")[0]
    assert tab.outside(host) == []


def test_forwards_backwards_and_forwards_again_is_the_same_to_the_bit(view, tab):
    tab = tab().go(view.open(browser=False))
    view.do("go", step=8)
    settled(view, tab)
    seen = {8: tab.numbers()}
    for step in (9, 10, 11, 10, 9, 8, 9, 10, 11):
        tab.button("Step forward" if step > view.parts["position"]["step"] else "Step back").click()
        tab.wait_for(lambda step=step: view.parts["position"]["step"] == step)
        settled(view, tab)
        assert seen.setdefault(step, tab.numbers()) == tab.numbers()
    assert len({tuple(numbers) for numbers in seen.values()}) == 4


def test_a_branch_is_shown_and_left_again(view, tab):
    tab = tab().go(view.open(browser=False))
    view.do("go", step=5)
    settled(view, tab)
    trunk = tab.numbers()
    tab.button("Branch …").click()
    tab.page.get_by_label("learning rate").first.fill("0.01")
    tab.button("Branch off").click()
    tab.wait_for(lambda: view.parts["position"]["branches"])
    assert "0.01" in view.parts["position"]["branches"][0]["settings"]
    view.do("go", step=12)
    settled(view, tab)
    assert_numbers(view, tab)
    branched = tab.numbers()
    view.do("show", branch=None)
    view.do("go", step=12)
    settled(view, tab)
    assert tab.numbers() != branched
    view.do("go", step=5)
    settled(view, tab)
    assert tab.numbers() == trunk


def test_a_number_that_is_typed_is_set(view, tab):
    tab = tab().go(view.open(browser=False))
    tab.number("output.weight[1, 0]").click()
    field = tab.page.get_by_role("spinbutton").first
    field.fill("0.75")
    field.press("Enter")
    tab.wait_for(lambda: view.subject.number("output.weight[1, 0]") == 0.75)
    tab.wait_for(lambda: float(tab.number("output.weight[1, 0]").get_attribute("data-value")) == 0.75)
    settled(view, tab)
    assert_numbers(view, tab)


def test_tabs_show_the_same_and_so_does_a_reloaded_one(view, tab):
    address = view.open(browser=False)
    one, other = tab().go(address), tab()
    other.go(address)
    one.number("hidden.bias[0]").click()
    other.page.get_by_role("heading", name="hidden.bias[0]").wait_for()
    other.page.reload()
    other.page.get_by_role("heading", name="hidden.bias[0]").wait_for()
    settled(view, other)
    assert sorted(other.numbers()) == sorted(one.numbers())


def test_a_page_whose_python_has_ended_says_so(view, tab):
    tab = tab().go(view.open(browser=False))
    view.close()
    tab.page.get_by_text("The connection to Python is lost").wait_for()
    tab.complaints.clear()  # of connections that are refused


FOCUSED = """() => {
  let found = document.activeElement;
  while (found?.shadowRoot) found = found.shadowRoot.activeElement;
  return found?.dataset?.key ?? "";
}"""
"""The key of the number that has the focus."""


def test_everything_by_the_keyboard(view, tab):
    tab = tab().go(view.open(browser=False))
    press = tab.page.keyboard.press
    press("Home")
    tab.wait_for(lambda: view.parts["position"]["step"] == 0)
    press("ArrowRight")
    tab.wait_for(lambda: view.parts["position"]["step"] == 1)
    press("End")
    tab.wait_for(lambda: view.parts["position"]["step"] == 20)
    for _ in range(60):
        press("Tab")
        if tab.page.evaluate(FOCUSED).startswith("hidden.bias"):
            break
    key = tab.page.evaluate(FOCUSED)
    press("Enter")
    tab.wait_for(lambda: view.parts["selection"] is not None)
    assert view.parts["selection"]["key"] == key
    tab.page.get_by_role("heading", name=key).wait_for()
    press("3")
    tab.wait_for(lambda: view.parts["selection"]["depth"] == "terms")
    press("c")
    tab.wait_for(lambda: view.parts["selection"]["check"])
    press("Escape")
    tab.wait_for(lambda: view.parts["selection"] is None)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(view, tab, scheme):
    axe = pytest.importorskip("axe_playwright_python", reason="axe is not installed") and files("axe_playwright_python")
    tab = tab(scheme).go(view.open(browser=False))
    tab.number("hidden.bias[1]").click()
    tab.page.locator("math").first.wait_for()
    tab.page.evaluate((axe / "axe.min.js").read_text(encoding="utf-8"))
    found = tab.page.evaluate("() => axe.run()")["violations"]
    serious = [
        f"{x['id']}: {x['help']} {[node['target'] for node in x['nodes']][:3]}"
        for x in found
        if x["impact"] in ("serious", "critical")
    ]
    assert serious == []
