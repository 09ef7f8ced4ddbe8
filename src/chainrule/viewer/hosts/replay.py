"""What a saved file replays: the parts of a view at moments of its training, and the reasons for numbers at some of them."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from numbers import Integral
from typing import Any

import numpy as np

from chainrule.errors import ChainruleError, SettingError, shortened
from chainrule.explanation.derivations.derivation import DEPTHS
from chainrule.explanation.rendering.json_form import written
from chainrule.training.between_epochs.progress import display
from chainrule.viewer.grids import in_steps, is_grid
from chainrule.viewer.hosts import messages
from chainrule.viewer.hosts.patches import patch
from chainrule.viewer.session import Session

VERSION = 1
COMMANDS = ("hello", "panel", "select", "depth", "go", "move", "jump", "play", "pause")
"""What a file answers."""
REASONS = ("selection", "derivation", "contributions")
"""The parts that a selection gives."""
MOST_FRAMES = 600
ROOM = 2_700_000
"""Characters of a file that are for its frames, unless their number is given; of more, as many as fit are kept."""
MOST_REASONS = 400
"""Selections that are recorded unless they are asked for by name."""
MOMENTS_OF_REASONS = 12
"""Moments at which those are that are asked for by name."""
LONGEST_REASON = 100_000
"""Characters of JSON; a depth that makes longer ones is left out."""

Moment = tuple[int | None, int | None]
"""A step, and how many operations of it are done, `None` for all; no step where there is no training."""


def replay(
    session: Session,
    frames: int | Sequence[int] | None = None,
    keys: Sequence[str] | None = None,
    panels: Collection[str] | None = None,
    progress: bool | None = False,
) -> dict[str, Any]:
    """The parts at so many moments, each as what is other than at the one before, and reasons: as PROTOCOL.md says.

    The session is gone through, with nobody hearing of it, and then taken back to where it stood. `progress` shows how far it is.
    """
    _unless_list(
        "frames", [] if isinstance(frames, int) else frames, Integral, "how many steps, or their numbers in a list"
    )
    _unless_list("select", keys, str, "the names of numbers in a list")
    _unless_list("panels", panels, str, "the names of panels in a list")
    with _from_here_and_back(session, panels):
        wanted = _numbers(session.parts["drawing"]) if keys is None else [_key(session, key) for key in keys]
        session.do("select", key=None)
        position = session.parts.get("position")
        _unless_there(frames, position)
        moments: list[Moment] = [(None, None)]
        if position and position["steps"]:
            moments = _moments(session, position, frames)
        chosen = _told(moments, position, _moments_of_reasons(len(wanted), keys is None))
        reasons = Reasons(session, wanted)
        shown: list[dict[str, Any]] = []
        with display(len(moments), progress, "moment") as told:
            for i, moment in enumerate(moments):
                shown.append(_shown(session, moment))
                if i in chosen:
                    reasons.record(i)
                told.update(i + 1, {})
    if frames is None:
        kept = _fitting(shown, chosen | {i for i, (_, done) in enumerate(moments) if done is not None})
        shown = [shown[i] for i in kept]
        reasons.renumber({old: new for new, old in enumerate(kept)})
    meta = shown[0]["meta"]
    known = [name for name in COMMANDS if name in meta["commands"]]
    there = [name for name in meta["panels"] if any(parts.get(name) is not None for parts in shown)]
    for parts in shown:
        parts["meta"] = {**meta, "saved": True, "commands": known, "panels": there}
    return {
        "version": VERSION,
        "parts": shown[0],
        "positions": [parts.get("position") for parts in shown],
        "patches": _patches(shown),
        "answers": reasons.answers,
    }


def packed(recording: dict[str, Any]) -> str:
    """As text that may stand in a script: JSON, or gzip in base64 where that is shorter."""
    text = messages.written(recording)
    small = base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()
    return min(text.replace("<", "\\u003c"), small, key=len)


class Reasons:
    """Records what selecting each number gives, at moments that the session has been taken to."""

    def __init__(self, session: Session, keys: Sequence[str]) -> None:
        self.session, self.depths = session, list(DEPTHS)
        self.answers: dict[str, dict[str, dict[str, Any]]] = {key: {} for key in keys}

    def record(self, moment: int) -> None:
        """Select one after the other, at every depth that is not too long."""
        for key, found in self.answers.items():
            for depth in tuple(self.depths):
                try:
                    self.session.do("select", key=key, depth=depth)
                except ChainruleError:  # a row that this moment's batch does not have
                    break
                parts = {name: self.session.parts[name] for name in REASONS if name in self.session.parts}
                if depth != DEPTHS[0] and len(written(parts)) > LONGEST_REASON:
                    self.depths.remove(depth)
                    continue
                found.setdefault(depth, {})[str(moment)] = parts
        self.session.do("select", key=None)

    def renumber(self, numbers: Mapping[int, int]) -> None:
        """Give the moments other numbers."""
        for depths in self.answers.values():
            for depth, found in depths.items():
                depths[depth] = {str(numbers[int(moment)]): parts for moment, parts in found.items()}


# --- what is asked for


def _unless_list(name: str, given: Any, kind: type, expected: str) -> None:
    """Refuse what is no list of such things; `None` is left to the library."""
    listed = isinstance(given, Collection) and not isinstance(given, str | bytes)
    if given is not None and not (listed and all(isinstance(x, kind) and not isinstance(x, bool) for x in given)):
        raise SettingError(f"save was given {name}={shortened(given)}; give {expected}.")


def _unless_there(frames: int | Sequence[int] | None, position: dict[str, Any] | None) -> None:
    """Refuse steps that there are not."""
    first, last = (position["first"], position["steps"]) if position else (0, 0)
    if isinstance(frames, int):
        SettingError.unless_count("save", "frames", frames)
    elif frames is not None and not all(first <= step <= last for step in frames):
        raise SettingError(f"save was given frames={shortened(frames)}, and there are the steps {first} to {last}.")


# --- which moments, and which numbers


def _moments(session: Session, position: dict[str, Any], frames: int | Sequence[int] | None) -> list[Moment]:
    """Steps evenly spread from the first to the last; that which is shown comes with all of its operations."""
    there, shown = range(position["first"], position["steps"] + 1), position["step"]
    frames = MOST_FRAMES if frames is None else frames
    steps = _spread(there, frames) if isinstance(frames, int) else set(map(int, frames))
    found: list[Moment] = []
    for step in sorted(steps | {shown}):
        operations: list[Moment] = [(step, done) for done in range(position["operations"])] if step == shown else []
        found += [*operations, (step, None)] if found else [(step, None), *operations]  # a file opens with numbers
    return found


def _fitting(shown: Sequence[dict[str, Any]], needed: Collection[int]) -> list[int]:
    """The numbers of the moments that there is room for, evenly spread beside those that are needed: all, if it can be."""
    kept, count = list(range(len(shown))), len(shown)
    while count > 2 and (size := len(packed(_patches([shown[i] for i in kept])))) > ROOM:
        count = min(count - 1, max(2, int(0.9 * count * ROOM / size)))
        kept = sorted(_spread(range(len(shown)), count) | set(needed))
    return kept


def _spread(values: range, count: int) -> set[int]:
    """So many of them, evenly spread, the first and the last among them."""
    return {values[int(i)] for i in np.linspace(0, len(values) - 1, min(max(1, count), len(values))).round()}


def _told(moments: Sequence[Moment], position: dict[str, Any] | None, count: int) -> set[int]:
    """The numbers of the moments at which reasons are told: the one that is shown, the first, the last, and others between."""
    whole = [i for i, (_, done) in enumerate(moments) if done is None]
    shown = {i for i in whole if position and moments[i][0] == position["step"]}
    return shown | {whole[i] for i in _spread(range(len(whole)), count - len(shown))} if count > len(shown) else shown


def _moments_of_reasons(numbers: int, bounded: bool) -> int:
    """At how many moments so many numbers are selected."""
    selections = max(1, numbers * len(DEPTHS))
    return max(1, MOST_REASONS // selections) if bounded else MOMENTS_OF_REASONS


def _numbers(drawing: dict[str, Any]) -> list[str]:
    """The keys of the numbers in a picture, their gradients aside; none where they are too many."""
    found = [key for key in dict.fromkeys(_keys(drawing["shapes"])) if not key.startswith("∂")]
    return found if len(found) * len(DEPTHS) <= MOST_REASONS else []


def _keys(shapes: Sequence[dict[str, Any]]) -> Iterator[str]:
    for shape in shapes:
        if shape.get("key"):
            yield shape["key"]
        if shape.get("cells"):
            yield from _cells(**shape["cells"])
        yield from _keys(shape.get("shapes") or ())


def _cells(key: str, rows: Collection[int], columns: Collection[int], width: int | None) -> Iterator[str]:
    for row in rows:
        for column in columns:
            yield key.format(row, column) if width is None else key.format(row * width + column)


def _key(session: Session, key: str) -> str:
    """The key in full of a number that is asked for by name."""
    session.do("select", key=key)
    found: str = session.parts["selection"]["key"]
    return found


# --- going about


def _go(session: Session, moment: Moment) -> None:
    step, done = moment
    if step is not None:
        session.do("go", step=step, operation=done)


@contextmanager
def _from_here_and_back(session: Session, panels: Collection[str] | None) -> Iterator[None]:
    """With panels open, by default all that are made at once and those that were open, and nothing selected; afterwards as before."""
    with session.unheard():
        position, selection, before = session.parts.get("position"), session.parts["selection"], set(session.panels)
        wanted = before | set(session.panel_names) - set(session.slow_names) if panels is None else set(panels)
        try:
            for name in sorted(before ^ wanted):
                session.do("panel", name=name, open=name in wanted)
            session.do("select", key=None)
            yield
        finally:
            for name in sorted(before ^ session.panels):
                session.do("panel", name=name, open=name in before)
            if position and position["steps"]:
                _go(session, (position["step"], position["operation"]))
            if selection is not None:
                session.do("select", key=selection["key"], depth=selection["depth"])


# --- what is kept of a moment


def _shown(session: Session, moment: Moment) -> dict[str, Any]:
    _go(session, moment)
    digits = session.digits
    return {name: _rounded(_coarse(value, digits.get(name)), digits.get(name)) for name, value in session.parts.items()}


def _patches(shown: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """By parts, from every moment to the next: positions, in which all changes, are written whole elsewhere."""
    found = {
        name: [patch({name: a[name]}, {name: b[name]}) for a, b in pairwise(shown)]
        for name in shown[0]
        if name != "position"
    }
    return {name: changes for name, changes in found.items() if any(changes)}


def _coarse(value: Any, digits: int | None) -> Any:
    """A part with its surfaces in few steps, which gzip makes small."""
    if isinstance(value, list):
        return [_coarse(x, digits) for x in value]
    if not isinstance(value, dict):
        return value
    if is_grid(value):
        return in_steps(value) if digits is None else in_steps(value, 10**digits)
    return {name: _coarse(x, digits) for name, x in value.items()}


def _rounded(value: Any, digits: int | None) -> Any:
    """A part with so many digits of its largest number, and of the others what stands in the same places."""
    if digits is None:
        return value
    largest = max(map(abs, _numbers_in(value)), default=0.0)
    return _to_places(value, digits - 1 - int(np.floor(np.log10(largest)))) if largest else value


def _numbers_in(value: Any) -> Iterator[float]:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for x in inside:
        yield from [x] if isinstance(x, float) else _numbers_in(x)


def _to_places(value: Any, places: int) -> Any:
    if isinstance(value, dict):
        return value if is_grid(value) else {name: _to_places(x, places) for name, x in value.items()}
    if isinstance(value, list):
        return [_to_places(x, places) for x in value]
    return round(value, places) if isinstance(value, float) else value
