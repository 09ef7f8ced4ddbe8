"""The widget in JupyterLab, Notebook and marimo, in Chromium; `make test-view` installs them."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

from waiting import LONG

pytest.importorskip("anywidget", reason="the extra `view` is not installed")

VIEW = """
import chainrule as cr
X, y = cr.datasets.xor()
layers = [cr.Dense(3, "tanh", name="hidden"), cr.Dense(1, name="output")]
view = cr.view(cr.Network(layers, seed=0), X, y, loss="mse", optimizer=cr.SGD(0.3), epochs=20)
view.do("train", wait=True)
view
"""
BUSY = """
import time
end = time.monotonic() + 300
while view.parts["selection"]["key"] != "hidden.bias[1]" and time.monotonic() < end:
    time.sleep(0.02)
print("heard of", view.parts["selection"]["key"])
"""
NUMBERS = """
print("numbers", [view.subject.gradient(key) for key in ("hidden.bias[1]", "output.bias[0]")])
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@contextmanager
def served(address, *command, folder):
    """A server that is there while it is needed; its own settings and caches are in the folder."""
    homes = {name: str(folder / name) for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")}
    environment = {**os.environ, **homes}
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log) as server,
    ):
        try:
            end = time.monotonic() + LONG
            while True:
                try:
                    urlopen(address, timeout=LONG).close()
                    break
                except URLError:
                    assert time.monotonic() < end, (folder / "log").read_text()
                    time.sleep(0.1)
            yield
        finally:
            server.terminate()
            with suppress(subprocess.TimeoutExpired):  # Jupyter may wait for a thread of its own for ever
                server.wait(10)
            server.kill()


JUPYTER = {"jupyterlab": "/lab/tree/view.ipynb?token=t&reset", "notebook": "/notebooks/view.ipynb?token=t"}
"""The module that serves each, and where it shows a notebook."""


def kernel_is(host, state, tab):
    """Wait until the page has a kernel, and the server says that of it."""

    def holds():
        with suppress(HTTPError), urlopen(f"{host}/api/kernels?token=t", timeout=LONG) as answer:
            return [(x["execution_state"], x["connections"]) for x in json.load(answer)] == [(state, 1)]
        return False  # of a kernel that is just being started the server cannot say it

    tab.wait_for(holds)


@pytest.mark.parametrize("module", JUPYTER)
def test_jupyter(module, tab, tmp_path):
    pytest.importorskip(module, reason=f"{module} is not installed")
    cells = [
        {
            "cell_type": "code",
            "id": f"c{i}",
            "source": code.strip(),
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for i, code in enumerate((VIEW, BUSY, NUMBERS))
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "view.ipynb").write_text(json.dumps(notebook))
    host = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", module, "--no-browser", "--allow-root", f"--port={host.rpartition(':')[2]}"]
    command += ["--IdentityProvider.token=t", f"--ServerApp.root_dir={tmp_path}", "--LabApp.news_url="]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    tab = tab()
    page = tab.page
    with served(f"{host}/api", *command, folder=tmp_path):
        page.goto(f"{host}{JUPYTER[module]}")
        kernel_is(host, "idle", tab)
        page.locator(".jp-CodeCell .cm-content").first.click()
        page.keyboard.press("Shift+Enter")
        tab.number("hidden.bias[1]").wait_for()
        kernel_is(host, "idle", tab)
        for key in (
            "output.bias[0]",
            "hidden.bias[0]",
        ):  # once some were answered, messages are heard while a cell runs
            tab.number(key).click()
            page.get_by_role("heading", name=key).wait_for()
        page.locator(".jp-CodeCell .cm-content").nth(1).click()
        page.keyboard.press("Shift+Enter")
        kernel_is(host, "busy", tab)
        tab.number("hidden.bias[1]").click()
        page.get_by_text("heard of hidden.bias[1]").wait_for()
        page.keyboard.press("Escape")
        page.locator(".jp-CodeCell .cm-content").nth(2).click()
        page.keyboard.press("Shift+Enter")
        shown = page.get_by_text("numbers [").last
        shown.wait_for()
        told = json.loads(shown.inner_text().partition(" ")[2])
        found = dict(tab.numbers())
        assert told == [found["∂L/∂hidden.bias[1]"], found["∂L/∂output.bias[0]"]]
    assert tab.outside(host) == []
    tab.complaints[:] = [text for text in tab.complaints if "chainrule" in text]  # Jupyter warns of matters of its own


def test_marimo(tab, tmp_path):
    pytest.importorskip("marimo", reason="marimo is not installed")
    lines = "".join(f"    {line}\n" for line in VIEW.strip().splitlines())
    code = f"import marimo\n\napp = marimo.App()\n\n\n@app.cell\ndef _():\n{lines}    return\n"
    (tmp_path / "app.py").write_text(code)
    host = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "marimo", "run", "app.py", "--headless", "--no-token"]
    tab = tab()
    with served(host, *command, "--port", host.rpartition(":")[2], folder=tmp_path):
        tab.go(host)
        tab.number("hidden.bias[1]").click()
        tab.page.get_by_role("heading", name="hidden.bias[1]").wait_for()
        tab.button("To the start").click()
        tab.page.get_by_text("step 0 of 20", exact=True).wait_for()
        tab.button("Play").click()
        tab.page.get_by_text(re.compile(r"^step ([3-9]|1\d|20) of 20$")).wait_for()
        tab.button("Pause").click()
    assert tab.outside(host) == []
    tab.complaints.clear()  # of marimo's own, and of its server that has ended
