"""The command `launch`: a script in several processes that train together, here or one of those that a launcher starts."""

from __future__ import annotations

import os
import runpy
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from chainrule.cli.console import complain
from chainrule.cli.exits import FAILED, SIGNALLED
from chainrule.errors import MissingExtraError, MissingFileError, SettingError, shortened
from chainrule.forks import load
from chainrule.training.between_epochs.signals import ENDING

TOLD = "CHAINRULE_PROCESS"
"""What a process that was started here is told by: the address at which all meet, how many there are, which it is."""

PATIENCE = 5.0
"""Seconds that the others have to end by themselves when one has failed."""


def launch(
    script: Annotated[Path, typer.Argument(help="The Python script to run.", show_default=False)],
    arguments: Annotated[list[str] | None, typer.Argument(help="Arguments for the script.", show_default=False)] = None,
    processes: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many processes to start here. Without it, this is one of those a launcher started.",
            metavar="N",
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            help="Where all processes meet, on the machine of the first, unless a launcher says so.",
            metavar="HOST:PORT",
        ),
    ] = None,
    number: Annotated[
        int | None,
        typer.Option(
            min=0, help="With --address and --processes: the number of this process, counted from 0.", metavar="I"
        ),
    ] = None,
) -> None:
    """Run a script in several processes that train one network together, with engine=cr.JaxEngine(devices="all").

    chainrule launch --processes 4 train.py -- --epochs 30

    srun --ntasks 16 chainrule launch train.py

    mpiexec -n 16 chainrule launch --address node1:29500 train.py

    The script's own options come after --. If one process fails or is killed, the others end as well, with a message.
    """
    if not script.is_file():
        raise MissingFileError(f"the script {script} does not exist. Give the path of a Python file.")
    _check_place(processes, address, number)
    if processes is not None and address is None and TOLD not in os.environ:
        raise typer.Exit(_watched(_started(script, arguments or (), processes)))
    _carry_out(script, arguments or (), (address, processes, number))


def _check_place(processes: int | None, address: str | None, number: int | None) -> None:
    """Refuse an address that is none, and a place among others of which a part is missing."""
    host, _, port = (address or "").rpartition(":")
    if address is not None and not (host and port.isdecimal() and 0 < int(port) < 2**16):
        raise SettingError(
            f"--address was given {shortened(address)}; give the first process's machine and a free port there, such as node1:29500."
        )
    if (number is not None) != (processes is not None and address is not None):
        raise SettingError(
            "to start one of several processes by hand, give all of --address HOST:PORT --processes N --number I; under a "
            "launcher, give --address alone; to start all of them here, give --processes N alone."
        )
    if number is not None and processes is not None and number >= processes:
        raise SettingError(f"--number was given {number}; of {processes} processes give 0 to {processes - 1}.")


def _started(script: Path, arguments: Sequence[str], count: int) -> list[subprocess.Popen[bytes]]:
    address = f"127.0.0.1:{_free_port()}"
    command = [sys.executable, "-m", "chainrule", "launch", "--", str(script), *arguments]
    return [  # in sessions of their own, where Ctrl-C reaches them once, from here
        subprocess.Popen(command, env={**os.environ, TOLD: f"{address} {count} {number}"}, start_new_session=True)
        for number in range(count)
    ]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _watched(processes: Sequence[subprocess.Popen[bytes]]) -> int:
    """Wait for all; if one fails, see to it that all end, and say which it was. What this process is asked to do they are asked."""

    def pass_on(number: int, _: object) -> None:
        for one in processes:
            with suppress(OSError):
                one.send_signal(number)

    for number in (signal.SIGINT, *ENDING):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as after nohup
            signal.signal(number, pass_on)
    while True:
        ended = [one.poll() for one in processes]
        failed = next((number for number, code in enumerate(ended) if code), None)
        if failed is not None:
            return _ended_all(processes, failed)
        if None not in ended:
            return 0
        time.sleep(0.05)


def _ended_all(processes: Sequence[subprocess.Popen[bytes]], failed: int) -> int:
    code = processes[failed].returncode
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"failed with exit code {code}"
    complain(f"process {failed} of {len(processes)} {how}; the others were stopped.")
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and any(one.poll() is None for one in processes):
        time.sleep(0.05)
    for one in processes:
        if one.poll() is None:
            one.kill()
        one.wait()
    return code if code > 0 else SIGNALLED - code


def _carry_out(script: Path, arguments: Sequence[str], place: tuple[str | None, int | None, int | None]) -> None:
    """Join the others and carry the script out; whatever ends it ends this process at once, so that the others notice."""
    try:
        processes = load("chainrule.engines.jax.processes")
    except ModuleNotFoundError as error:
        raise MissingExtraError.of("jax", "jax", "training in several processes") from error
    if TOLD in os.environ:
        address, count, number = os.environ[TOLD].split()
        _stay_on_own_cores(int(count), int(number))
        processes.join(address, int(count), int(number))
    else:
        processes.join(*place)
    sys.argv, sys.path[0] = [str(script), *arguments], str(script.resolve().parent)
    signals = _Heard()
    code = 0
    try:
        runpy.run_path(str(script), run_name="__main__")
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else FAILED if error.code else 0
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
    except BaseException:
        code = FAILED
        traceback.print_exc()
    if code := code or signals.code:  # JAX would wait for the others on the way out, who wait for this one
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class _Heard:
    """The signals that this process has heard, by whatever handlers: what ended a training here has not ended the others'."""

    def __init__(self) -> None:
        self._end, begin = os.pipe()
        for one in (self._end, begin):
            os.set_blocking(one, False)
        signal.set_wakeup_fd(begin, warn_on_full_buffer=False)

    @property
    def code(self) -> int:
        """The exit code for the first that asks a process to end; 0 if there was none."""
        with suppress(BlockingIOError):
            asked = [number for number in os.read(self._end, 1000) if number in (signal.SIGINT, *ENDING)]
            return SIGNALLED + asked[0] if asked else 0
        return 0


def _stay_on_own_cores(count: int, number: int) -> None:
    """Of this machine's cores take a share, where there is one for every process."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        own = cores[number * len(cores) // count : (number + 1) * len(cores) // count]
        if own:
            os.sched_setaffinity(0, own)
