"""Chromium for the tests of this folder, which are skipped where there is none, and what has to hold on every page."""

import os
import shutil
from pathlib import Path

import pytest

from waiting import LONG

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

NUMBERS = """() => {
  const found = [];
  const walk = (root) => {
    for (const e of root.querySelectorAll("*")) {
      if (e.dataset?.key !== undefined && e.dataset.value !== undefined) found.push([e.dataset.key, e.dataset.value]);
      if (e.shadowRoot) walk(e.shadowRoot);
    }
  };
  walk(document);
  return found;
}"""
"""Keys and values of all numbers on a page, in its shadow roots too."""


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with playwright.sync_playwright() as driver:
        path = os.environ.get("CHAINRULE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
        path = path or driver.chromium.executable_path
        if not Path(path).exists():
            pytest.skip("there is no Chromium; apt-get install chromium-headless-shell, or set CHAINRULE_CHROMIUM")
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Tab:
    """A page that notes what it asks for and complains of."""

    def __init__(self, context):
        self.page = context.new_page()
        self.requests, self.complaints = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.set_default_timeout(1000 * LONG)

    def go(self, address):
        self.page.goto(address)
        self.page.locator("[data-key]").first.wait_for()
        return self

    def number(self, key):
        return self.page.locator(f'[data-key="{key}"][data-value]').first

    def numbers(self):
        """Key and value of every number that is shown."""
        return [(key, float(value)) for key, value in self.page.evaluate(NUMBERS)]

    def button(self, name):
        return self.page.get_by_role("button", name=name, exact=True)

    def wait_for(self, condition):
        """Let the page go on until something is so, in Python."""
        for _ in range(40 * int(LONG)):
            if condition():
                return
            self.page.wait_for_timeout(25)
        raise AssertionError("it took too long")

    def outside(self, *own):
        """Requests that do not go to one of these, or to what the page itself holds."""
        return [url for url in self.requests if not url.startswith((*own, "data:", "blob:"))]


@pytest.fixture
def tab(chromium):
    """Makes tabs, all of one browser; none of them may complain."""
    contexts, tabs = {}, []

    def make(scheme="light", width=1280):
        options = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}, "reduced_motion": "reduce"}
        if (scheme, width) not in contexts:
            contexts[scheme, width] = chromium.new_context(**options)
        tabs.append(Tab(contexts[scheme, width]))
        return tabs[-1]

    yield make
    complaints = [text for one in tabs for text in one.complaints]
    for context in contexts.values():
        context.close()
    assert complaints == []
