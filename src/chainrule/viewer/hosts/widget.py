"""The widget that notebooks show: every part is a trait, commands and answers are custom messages."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from chainrule.errors import MissingExtraError
from chainrule.viewer.hosts.documents import MODULE
from chainrule.viewer.hosts.messages import PAUSE, Outbox, pass_on
from chainrule.viewer.session import Session

try:
    import anywidget
    import traitlets
except ModuleNotFoundError as error:
    raise MissingExtraError.of(error.name or "anywidget", "view", "the view in a notebook") from None


class Widget(anywidget.AnyWidget):
    """Shows a session in JupyterLab, Notebook, VS Code, Colab and marimo.

    Messages of the notebook are put into the session's line and nothing else, for the kernel handles them in whatever thread it
    likes, in the main one only once a cell that is under way has ended. What has changed is told from a thread of the widget's own.

    Parameters
    ----------
    session : Session
        What is shown; it is started.
    """

    _esm = MODULE

    def __init__(self, session: Session) -> None:
        self.add_traits(**{name: traitlets.Any().tag(sync=True) for name in session.parts})
        super().__init__(**session.parts)
        session.start()
        self._something, self._ended = threading.Event(), False
        self._outbox = Outbox(self._something.set)
        self._stop = session.listen(self._outbox.tell)
        self.on_msg(lambda _, command, __: pass_on(command, session, self._outbox))
        _thread_of_host()(target=self._tell, name="chainrule-widget", daemon=True).start()

    def _tell(self) -> None:
        while self._something.wait() and not self._ended:
            self._something.clear()
            parts, answers = self._outbox.taken()
            with self.hold_sync():
                for name, value in parts.items():
                    setattr(self, name, value)
            for answer in answers:
                self.send(answer)
            time.sleep(PAUSE)

    def close(self) -> None:
        """End it; notebooks take it off their pages."""
        if not self._ended:
            self._ended = True
            self._stop()
            self._something.set()
        super().close()


def _thread_of_host() -> Any:
    """The class of threads that may talk to the notebook: marimo has its own."""
    marimo = sys.modules.get("marimo")
    return marimo.Thread if marimo is not None and marimo.running_in_notebook() else threading.Thread
