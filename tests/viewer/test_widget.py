"""The widget, as a notebook talks to it: traits, commands and answers, and handlers that only put into the line."""

import sys
import threading
import time

import pytest

import chainrule as cr

pytest.importorskip("anywidget", reason="the extra `view` is not installed")

import comm
import ipywidgets
from comm.base_comm import BaseComm

from waiting import until


class Notebook(BaseComm):
    """A notebook's end of a widget: what it was told, and what it says."""

    def __init__(self, **options):
        self.told, self.threads = [], []
        super().__init__(**options)

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        self.told.append(data)
        self.threads.append(threading.current_thread())

    def say(self, **content):
        self.handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})

    def answers(self):
        return [data["content"] for data in list(self.told) if data and data.get("method") == "custom"]

    def state(self):
        """The traits as the notebook has them."""
        found = {}
        for data in list(self.told):
            found |= (data or {}).get("state", {})
        return found


@pytest.fixture
def view(monkeypatch):
    monkeypatch.setattr(comm, "create_comm", Notebook)
    a, b = cr.values(a=2.0, b=-3.0)
    view = cr.view((a * b).named("L"))
    yield view
    view.close()


def test_every_part_is_a_trait(view):
    widget = view.widget
    assert view.widget is widget
    state = widget.comm.state()
    assert {name: state[name] for name in view.parts} == view.parts
    assert "export" in state["_esm"]
    assert not set(view.parts) & set(dir(ipywidgets.DOMWidget))


def test_names_of_all_parts_are_free_for_traits():
    X, y = cr.datasets.xor()
    shown = cr.view(cr.Network([cr.Dense(2, name="o")], seed=0), X, y)
    import anywidget

    assert not set(shown.parts) & set(dir(anywidget.AnyWidget))


def test_commands_are_answered_after_the_parts_have_changed(view):
    notebook = view.widget.comm
    notebook.say(id=1, do="select", key="a")
    notebook.say(id=2, do="nothing")
    until(lambda: len(notebook.answers()) == 2)
    done, refused = notebook.answers()
    assert done == {"id": 1, "ok": None}
    assert "nothing" in refused["error"]
    kinds = [data.get("method") for data in notebook.told if data]
    assert kinds.index("update") < kinds.index("custom")
    assert notebook.state()["selection"]["gradient"] == -3.0


def test_the_notebook_is_told_what_python_does(view):
    notebook = view.widget.comm
    view.do("set", key="b", value=7.0)
    until(lambda: "drawing" in notebook.state() and notebook.state()["change"] is not None)
    assert notebook.state() | view.parts == notebook.state()


def test_handlers_return_at_once_and_messages_come_from_one_thread(view):
    notebook = view.widget.comm
    with view.session._lock:  # a command that takes long is under way
        notebook.say(id=1, do="select", key="a")  # if it waited for that, it would do so for ever
        assert notebook.answers() == []
    until(lambda: notebook.answers())
    assert {thread.name for thread in notebook.threads[1:]} == {"chainrule-widget"}


def test_many_changes_are_told_at_once(view):
    notebook = view.widget.comm
    before, began = len(notebook.told), time.monotonic()
    for i in range(300):
        view.session._tell({"notice": {"kind": "note", "text": "", "id": i}})
        time.sleep(0.001)
    until(lambda: notebook.state()["notice"] == {"kind": "note", "text": "", "id": 299})
    assert len(notebook.told) - before < 40 * (time.monotonic() - began) + 5  # however long it took


def test_what_is_no_command_is_answered(view):
    notebook = view.widget.comm
    for content in (3, None, [], "x", {}):
        notebook.handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})
    notebook.say(id=1, do="hello")
    until(lambda: {"id": 1, "ok": None} in notebook.answers())
    assert [x["id"] for x in notebook.answers()] == [None] * 5 + [1]


def test_notebooks_get_the_widget_and_a_picture_for_those_without(view):
    forms, metadata = view._repr_mimebundle_()
    assert forms["application/vnd.jupyter.widget-view+json"]["model_id"] == view.widget.model_id
    assert forms["text/html"].startswith("<img")
    assert "pip install" not in forms["text/html"]
    assert isinstance(metadata, dict)
    assert view._display_() is view.widget


def test_colab_which_takes_html_before_widgets_gets_none(view, monkeypatch):
    view.widget  # noqa: B018  (Colab's own module is not there to be asked)
    monkeypatch.setitem(sys.modules, "google.colab", None)
    forms, _ = view._repr_mimebundle_()
    assert forms.keys() == {"application/vnd.jupyter.widget-view+json", "text/plain"}


def test_close_ends_the_widget(view):
    view.widget.comm.say(id=1, do="hello")
    view.close()
    until(lambda: not [x for x in threading.enumerate() if x.name in ("chainrule-widget", "chainrule-view")])
    assert view.session._listeners == []
