"""A session: the parts that one view shows, and the commands that change them, carried out one after the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from chainrule.errors import UnknownNameError
from chainrule.viewer.arguments import unless_fitting
from chainrule.viewer.component import Component, Part, plain
from chainrule.viewer.topics import Topics, told

Changes = Mapping[str, Any]
Listener = Callable[[Changes], None]
Waiting = SimpleQueue[Callable[[], None] | None]
"""What is to be done by a session's thread; `None` is the last."""


class Session:
    """What a view shows, as parts that are JSON, and what is done to it.

    `do` carries a command out at once, in the caller's thread. Hosts, whose messages come whenever a user does something,
    `start` a thread of the session's own and `send` commands to it: they wait for each other, parts that take long are made when no
    command waits, and what plays goes on between commands.

    Parameters
    ----------
    topics : Topics
        What its components say that they have changed.
    components : sequence of Component
        They bring the parts and the commands.
    """

    def __init__(self, topics: Topics, components: Sequence[Component]) -> None:
        self.topics, self.components = topics, components
        self._parts: dict[str, Part] = {}
        self._commands: dict[str, Callable[..., Any]] = {}
        for component in components:
            self._parts |= component.parts()
            self._commands |= component.commands()
        self._commands |= {"hello": self._hello, "panel": self._panel}
        self.panels: set[str] = set()
        self.parts: dict[str, Any] = dict.fromkeys(self._parts)
        self._listeners: list[Listener] = []
        self._hushed = False
        self._lock = threading.RLock()
        self._inside: int | None = None
        self._door = threading.Lock()
        self._waiting: Waiting = SimpleQueue()
        self._stale: set[str] = set(self._parts)
        self._thread: threading.Thread | None = None
        topics.post = self.post
        self.refresh()

    # --- parts

    @property
    def commands(self) -> list[str]:
        """The names of the commands that are understood."""
        return list(self._commands)

    @property
    def panel_names(self) -> list[str]:
        """The names of the parts that are made only while their panel is open."""
        return [name for name, own in self._parts.items() if own.panel]

    @property
    def slow_names(self) -> list[str]:
        """The names of the parts that take long."""
        return [name for name, own in self._parts.items() if own.slow]

    @property
    def digits(self) -> Mapping[str, int]:
        """How many digits the numbers of parts that are pictures have to have."""
        return {name: own.digits for name, own in self._parts.items() if own.digits is not None}

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Have a function called with all parts that have changed, whenever some have; what is returned ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else's commands, and numbers of any size: what overflows is shown as that."""
        with self._lock, np.errstate(all="ignore"):
            before, self._inside = self._inside, threading.get_ident()
            try:
                yield
            finally:
                self._inside = before

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """Nobody else's commands, and nothing told, for going through it and back; afterwards all parts are told."""
        with self._alone():
            self._hushed = True
            try:
                yield
            finally:
                self._hushed = False
                self._hello()

    def refresh(self, *, slow: bool = True) -> None:
        """Make the parts anew whose topics were touched; without `slow`, those that take long later."""
        with self._alone():
            touched = self.topics.taken()
            self._stale |= {name for name, own in self._parts.items() if own.topics & touched}
            due = [self._parts[name] for name in self._parts if name in self._stale]
            self._make([x for x in due if slow or not x.slow])

    def _make(self, due: Sequence[Part]) -> None:
        changes = {}
        try:
            for own in due:
                self._stale.discard(own.name)
                shown = not own.panel or own.name in self.panels
                new = plain(own.make()) if shown else None
                if new != self.parts[own.name]:
                    self.parts[own.name] = changes[own.name] = new
        finally:
            if changes:
                self._tell(changes)

    def _tell(self, changes: Changes) -> None:
        for listener in () if self._hushed else tuple(self._listeners):
            listener(changes)

    # --- commands

    def do(self, name: str, /, **arguments: Any) -> Any:
        """Carry out a command, with all parts made anew before it returns.

        Raises
        ------
        ChainruleError
            Where the command refuses what it was given, or is none.
        """
        with self._alone():
            value = self.carry_out(name, arguments)
            self.refresh()
            return value

    def carry_out(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Carry out a command within another; parts are made anew after that."""
        if name not in self._commands:
            raise UnknownNameError.among("command", name, self.commands)
        method = self._commands[name]
        unless_fitting(name, method, arguments)
        return method(**arguments)

    def _hello(self) -> None:
        self._tell(dict(self.parts))

    def _panel(self, name: str, open: bool = True) -> None:
        if name not in self.panel_names:
            raise UnknownNameError.among("panel", name, self.panel_names)
        (self.panels.add if open else self.panels.discard)(name)
        self._stale.add(name)

    def answer(self, command: Mapping[str, Any], *, slow: bool = True) -> dict[str, Any]:
        """Carry out a command that came as JSON, from outside: whatever goes wrong is an answer as well."""
        given = {name: x for name, x in command.items() if name not in ("id", "do")}
        answer: dict[str, Any] = {"id": command.get("id")}
        with self._alone():
            try:
                answer["ok"] = plain(self.carry_out(str(command.get("do")), given))
                self.refresh(slow=slow)
            except Exception as error:
                answer["error"] = told(error)
        return answer

    # --- a thread of its own

    def start(self) -> None:
        """Carry out what is sent in a thread of the session's own, from now until `close`."""
        with self._door:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, args=(self._waiting,), name="chainrule-view", daemon=True
                )
                self._thread.start()

    def send(self, command: Mapping[str, Any], reply: Callable[[dict[str, Any]], None]) -> None:
        """Have a command carried out, and the answer given to `reply`."""
        with self._door:
            self._waiting.put(lambda: reply(self.answer(command, slow=False)))

    def post(self, action: Callable[[], None]) -> None:
        """Have something done between commands; at once where the session has no thread, and within a command of one's own."""

        def act() -> None:
            with self._alone():
                action()
                self.refresh(slow=self._thread is None)

        if self._inside != threading.get_ident():
            with self._door:
                if self._thread is not None:
                    self._waiting.put(act)
                    return
        act()

    def close(self) -> None:
        """End what goes on by itself, and the thread, once what was sent is done."""
        for component in self.components:
            component.close()
        with self._door:
            thread, self._thread = self._thread, None
            if thread is not None:
                for last in (self.refresh, None):
                    self._waiting.put(last)
                self._waiting = SimpleQueue()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=10)

    def _work(self, waiting: Waiting) -> None:
        tick = 0.0
        while True:
            try:
                try:
                    found = waiting.get(timeout=self._patience(tick))
                except Empty:
                    tick = self._go_on(tick)
                    continue
                if found is None:
                    break
                found()
            except Exception as error:  # shown, and gone on after
                self.topics.say("error", told(error))
                waiting.put(self.refresh)

    def _patience(self, tick: float) -> float | None:
        """How long to wait for a command before something else is done."""
        if self._stale:
            return 0.0
        if self.topics.interval is None:
            return None
        return max(0.0, tick + self.topics.interval - time.monotonic())

    def _go_on(self, tick: float) -> float:
        """What is done when no command waits: the next move of what plays, then one of the parts that take long."""
        with self._alone():
            interval = self.topics.interval
            if interval is not None and time.monotonic() >= tick + interval:
                tick = time.monotonic()
                self.topics.play()
            self.refresh(slow=False)
            waiting = [self._parts[name] for name in self._parts if name in self._stale]
            self._make(waiting[:1])
        return tick
