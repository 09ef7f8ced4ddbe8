"""The guided tour: every stage with the right numbers, without a terminal at once, with one a key at a time."""

import contextlib
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from fcntl import ioctl
from functools import cache

import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app
from chainrule.cli.tour import STAGES
from waiting import LONG

COMMAND = [sys.executable, "-c", "from chainrule.cli import main; main()", "demo", "chain-rule"]
PROMPT = "any key for the next stage"


@cache
def run(*arguments, columns=80):
    return CliRunner().invoke(app, ["demo", "chain-rule", *arguments], env={"COLUMNS": str(columns)})


def test_every_stage_has_the_numbers_of_the_texts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run.cache_clear()
    result = run()
    assert result.exit_code == 0, result.output
    assert list(tmp_path.iterdir()) == []
    assert PROMPT not in result.stdout
    assert [line for line in result.stdout.splitlines() if " of 8 · " in line] == [
        f"{i} of 8 · {title}" for i, title in enumerate(STAGES, 1)
    ]
    for words in (
        "(20.014003 − 20) / 0.001 = 14.003", "f′(x) = 6·x − 4, so f′(3) = 14", "off by 0.003",
        "constant factor", "so ∂d/∂a = b", "∂d/∂b              2     2.000000",
        "= (6, 8)", "├─ d = e + c     data  4   gradient −2", "│  │  ├─ a       data  2   gradient  6",
        "−2·1·(−3) = 6", "= 3 − 6 = −3", "18 multiplications", "30,000   forward", "2,001,999          3,000   reverse",
        "∂L/∂u_ij = (y_j − t_j)·y_j(1 − y_j)·h_i",
        "∂L/∂w_ij = [Σ_k (y_k − t_k)·y_k(1 − y_k)·u_jk]·h_j(1 − h_j)·x_i",
    ):  # fmt: skip
        assert words in result.stdout or words in " ".join(result.stdout.split()), words


def test_another_seed_is_another_network():
    network = cr.Network(
        [cr.Dense(3, "sigmoid", name="hidden"), cr.Dense(2, "sigmoid")], dtype="float64", seed=7
    ).build(2)
    gradient = network.contributions([[0.4, -0.7]], [[0.2, 0.9]], "hidden.weight[0, 0]", loss="l2_norm").gradient
    first, second = run("--seed", "7").stdout, run().stdout
    assert f"together {gradient:.6g}".replace("-", "−") in " ".join(first.split())
    assert first.split("7 of 8")[0] == second.split("7 of 8")[0]
    assert first != second


def test_the_step_it_takes_lowers_the_error(capsys):
    *_, last = STAGES.values()
    for seed in range(5):
        last(seed)
        text = " ".join(capsys.readouterr().out.split())
        before, after = text.split("the error falls from ")[1].split(". Repeat")[0].split(" to ")
        assert float(after) < float(before)


@pytest.mark.parametrize("columns", [80, 120])
def test_own_words_fit_the_terminal(columns):
    rules = ("rule)", "rule, chain rule)")  # lines that the library's derivations make
    assert [
        line for line in run(columns=columns).stdout.splitlines() if len(line) > columns and not line.endswith(rules)
    ] == []


OPENER = """
import os, sys
from chainrule.cli import main
import chainrule.cli.tour, chainrule.learning, chainrule.explanation.rendering
sys.argv = ["chainrule", "demo", "chain-rule"]
for screen in sys.stdin:
    tour = os.fork()
    if not tour:
        os.setsid()
        terminal = os.open(screen.strip(), os.O_RDWR)
        for stream in range(3):
            os.dup2(terminal, stream)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")
        main()
        break
    print("began", tour, flush=True)
    print("ended", os.waitstatus_to_exitcode(os.waitpid(tour, 0)[1]), flush=True)
"""
"""Starts the tour in any number of terminals, one after the other, and says how each ended; imports everything once."""


@pytest.fixture(scope="module")
def opener():
    terminals_own = {name: x for name, x in os.environ.items() if name not in ("LINES", "COLUMNS")}
    process = subprocess.Popen(
        [sys.executable, "-c", OPENER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**terminals_own, "TERM": "xterm", "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    yield process
    process.stdin.close()
    process.wait(LONG)
    process.stdout.close()


@pytest.fixture
def terminal(opener):
    """Opens the tour in a terminal of its own; gives a function that reads until some words are there, and two more."""

    @contextlib.contextmanager
    def open_tour(columns=80, lines=100):
        screen, theirs = pty.openpty()
        ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        opener.stdin.write(f"{os.ttyname(theirs)}\n".encode())
        opener.stdin.flush()
        said = b""
        while not said.startswith(b"began "):  # how one before ended may not have been asked
            said = opener.stdout.readline()
            assert said, "the opener ended"
        tour = int(said.split()[1])
        seen = bytearray()

        def read_until(words, seconds=LONG):
            end = time.monotonic() + seconds
            while time.monotonic() < end and words.encode() not in seen:
                if select.select([screen], [], [], 0.1)[0]:
                    seen.extend(os.read(screen, 65536))
            read = seen.find(words.encode())
            read = len(seen) if read < 0 else read + len(words.encode())
            text = seen[:read].decode(errors="replace")
            del seen[:read]  # what comes after is still to be read
            return text

        def press(key, words):
            """What comes after a key, pressed once the tour listens for single ones."""
            end = time.monotonic() + LONG
            while termios.tcgetattr(screen)[3] & termios.ICANON and time.monotonic() < end:
                time.sleep(0.01)
            os.write(screen, key)
            return read_until(words)

        def code():
            """How the tour ended."""
            end = time.monotonic() + LONG
            while time.monotonic() < end:
                read_until("never", 0.02)  # what is left, so that it can end
                if select.select([opener.stdout], [], [], 0.02)[0]:
                    return int(opener.stdout.readline().removeprefix(b"ended "))
            return "still running"

        try:
            yield read_until, press, code
        finally:
            with contextlib.suppress(ProcessLookupError):  # it has ended
                os.kill(tour, signal.SIGKILL)
            os.close(theirs)
            os.close(screen)

    return open_tour


def test_in_a_terminal_it_waits_for_a_key_and_leaves_at_q(terminal):
    with terminal() as (read_until, press, code):
        text = read_until(PROMPT)
        assert "1 of 8" in text
        assert "2 of 8" not in text
        assert "2 of 8" not in read_until("2 of 8", 0.5)  # it waits
        assert "2 of 8" in press(b" ", PROMPT)
        text = press(b"q", "stopped after 2 of 8")
        assert "stopped after 2 of 8" in text
        assert "3 of 8" not in text
        assert code() == 0


@pytest.mark.parametrize(
    ("key", "words", "expected"),
    [(b"\x03", "stopped by Ctrl-C", 130), (b"\x04", "stopped after 1 of 8", 0), (b"\x1b", "stopped after 1 of 8", 0)],
)
def test_ctrl_c_ctrl_d_and_escape_leave_cleanly(terminal, key, words, expected):
    with terminal() as (read_until, press, code):
        read_until(PROMPT)
        text = press(key, words)
        assert words in text
        assert "Traceback" not in text
        assert "2 of 8" not in text
        assert code() == expected


def test_pages_fit_the_terminal_and_can_be_gone_back_to(terminal):
    with terminal(lines=24) as (read_until, press, code):
        first = read_until("any key to read on")
        assert "1 of 8" in first
        assert len(first.splitlines()) <= 24 + 2  # with the title of the whole
        second = press(b" ", "b to go back")
        assert "1 of 8" not in second
        assert len(second.splitlines()) <= 24
        assert "1 of 8" in press(b"b", "any key to read on")
        press(b"q", "stopped after 1 of 8")
        assert code() == 0


def test_to_the_end_with_any_keys(terminal):
    with terminal(120) as (read_until, press, code):
        text = read_until(PROMPT)
        for key, place in zip(b"x\r n\x7f3y", range(2, 9), strict=True):
            text = press(bytes([key]), f"{place} of 8")
            assert f"{place} of 8" in text
            if place < 8:
                text += read_until(PROMPT)
        assert "left" not in text
        assert code() == 0


def test_a_reader_that_has_enough_ends_it_quietly():
    first = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert first.stdout is not None
    assert first.stdout.readline().startswith(b"The chain rule")
    first.stdout.close()
    assert first.stderr is not None
    assert b"Traceback" not in first.stderr.read()
    first.stderr.close()
    first.wait()
