"""A training shared out over devices and processes has the losses of one, to rounding; one that is lost ends all."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app
from chainrule.errors import SettingError
from waiting import LONG

pytest.importorskip("jax")

by_night = pytest.mark.skipif("CHAINRULE_ENGINES" not in os.environ, reason="several processes that load JAX take long")

BEGINNING = """
import os, sys
import numpy as np
import chainrule as cr

folder = sys.argv[1]
X = np.memmap(folder + "/X", np.float32, "r", shape=(300, 6))
y = np.sin(np.array(X)).sum(axis=1)
labels = np.argmax(np.array(X)[:, :3], axis=1)

def network(units=12):
    return cr.Network([cr.Dense(units, "tanh"), cr.BatchNorm(), cr.Dropout(0.2), cr.Dense(1)], seed=1)

def fitted(engine, one=None, X=X, y=y, **given):
    one = one or network()
    given = dict(epochs=4, batch_size=16, validation_data=(np.array(X[:64]), y[:64]), clip_norm=1.0, seed=2) | given
    h = one.fit(X, y, engine=engine, progress=False, **given)
    return [*h["loss"], *h["val_loss"], *(float(np.abs(x).sum()) for own in one.parameters.values() for x in own.values())]
"""

DEVICES = (
    BEGINNING
    + """
def close(one, other, tolerance=3e-5):
    np.testing.assert_allclose(one, other, tolerance)

expected = fitted("numpy")
close(fitted(cr.JaxEngine(devices=8)), expected)
close(fitted(cr.JaxEngine(devices="all", split=2)), expected)
close(fitted(cr.JaxEngine(devices=3), batch_size=24), fitted("numpy", batch_size=24))
wide = [fitted(engine, network(512), epochs=2) for engine in ("numpy", cr.JaxEngine(devices=4, split=2))]
close(*wide)
classes = [
    fitted(engine, cr.Network([cr.Dense(8, "relu"), cr.Dense(3)]), np.array(X), labels, class_weight="balanced", optimizer="sgd")
    for engine in ("numpy", cr.JaxEngine(devices=4))
]
close(*classes)
precise = [
    fitted(engine, cr.Network([cr.Dense(8, "tanh"), cr.Dense(1)], dtype="float64"), np.array(X, np.float64))
    for engine in ("numpy", cr.JaxEngine(devices=8))
]
close(*precise, 1e-11)
assert fitted(cr.JaxEngine(devices=8)) == fitted(cr.JaxEngine(devices=8))
for wrong, given, message in [
    (cr.JaxEngine(devices=5), {}, "batch_size=16, which 5 devices cannot share out"),
    (cr.JaxEngine(devices=16), {}, "JAX has 8 of 16 devices here"),
    (cr.JaxEngine(devices=8, split=3), {}, "8 devices cannot be split by 3"),
]:
    try:
        fitted(wrong, **given)
    except cr.ChainruleError as error:
        assert message in str(error), error
    else:
        raise AssertionError(message)
print("done")
"""
)

PROCESSES = (
    BEGINNING
    + """
import jax

class Counting(np.memmap):
    read = []

    def take(self, rows, *more, **given):
        self.read.append(np.size(rows))
        return super().take(rows, *more, **given)

me, split = jax.process_index(), int(os.environ.get("SPLIT", "1"))
counting = Counting(folder + "/X", np.float32, "r", shape=(300, 6))
one = network(512)
found = fitted(cr.JaxEngine(devices="all", split=split), one, X=counting)
np.savetxt(f"{folder}/found{me}", found)
np.savetxt(f"{folder}/read{me}", [sum(Counting.read)])
"""
)

STORED = (
    BEGINNING
    + """
class Counting:
    rows_read = 0

    def pieces(self, begin, end):
        type(self).rows_read += end - begin
        yield from super().pieces(begin, end)

class Mapped(Counting, cr.ArrayDataset):
    pass

class Columns(Counting, cr.TableDataset):
    pass

def trained(kind, data, engine):
    read = []
    one, given = network(64), dict(validation_data=(np.array(X[:64]), y[:64]), clip_norm=1.0, seed=2, batch_size=16, epochs=4)
    one.fit(data, engine=engine, progress=False, callbacks=[lambda end: read.append(kind.rows_read)], **given)
    h = one.history
    found = [*h["loss"], *h["val_loss"], *(float(np.abs(x).sum()) for own in one.parameters.values() for x in own.values())]
    return [read[3] - read[0], *found]

small = 2 * 100 * 4 * 7 / 2**20  # windows of 100 rows
sources = [(Mapped, Mapped(X, y, megabytes=small)), (Columns, Columns(folder + "/files", "y", megabytes=small))]
def write(name, engine):
    np.savetxt(folder + "/" + name, [trained(kind, data, engine) for kind, data in sources])
"""
)

KILLED = (
    BEGINNING
    + """
import jax, signal, time

class Dies:
    def __call__(self, end):
        time.sleep(0.05)
        if end.epoch == 5 and jax.process_index() == 1 and len(sys.argv) > 2:
            os.kill(os.getpid(), getattr(signal, sys.argv[2]))

given = dict(callbacks=[Dies()], progress=False, validation_data=(X[:64], y[:64]))
if os.path.exists(folder + "/run.ckpt"):
    one = cr.resume(folder + "/run.ckpt", X, y, **given)
else:
    one = network()
    one.fit(X, y, epochs=9, batch_size=16, engine=cr.JaxEngine(devices="all"), checkpoint=folder + "/run.ckpt", every=1, **given)
np.savetxt(f"{folder}/loss{jax.process_index()}", one.history["loss"])
"""
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    np.random.default_rng(0).normal(size=(300, 6)).astype(np.float32).tofile(tmp_path / "X")
    return tmp_path


def carried_out(
    folder: Path, script: str, *arguments: str, processes: int = 0, **more: str
) -> subprocess.CompletedProcess:
    (folder / "script.py").write_text(script)
    start = ["-m", "chainrule", "launch", "--processes", str(processes)] if processes else []
    command = [sys.executable, "-W", "ignore", *start, str(folder / "script.py"), str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=LONG, env={**os.environ, **more})


def test_devices_are_a_number_or_all() -> None:
    with pytest.raises(SettingError, match="devices='al'; give a number of devices, or 'all' for all there are"):
        cr.JaxEngine(devices="al")
    with pytest.raises(SettingError, match="devices=0; it must be a positive integer"):
        cr.JaxEngine(devices=0)


def test_two_devices(folder: Path) -> None:
    script = BEGINNING + "one, other = (fitted(e, epochs=2) for e in ('numpy', cr.JaxEngine(devices='all')))\n"
    script += "np.testing.assert_allclose(one, other, 3e-5); print('done')"
    done = carried_out(folder, script, XLA_FLAGS="--xla_force_host_platform_device_count=2")
    assert done.stdout == "done\n", done.stderr[-3000:]


SUMS = """
import re, sys
import numpy as np
import chainrule as cr
from chainrule.engines.jax import shared_runner

found, compiled = [], shared_runner._compiled_steps

def noted(*given):
    function = compiled(*given)
    found.append(len(re.findall(r"= .*all-reduce\\(", function.as_text())))
    return function

shared_runner._compiled_steps = noted
X = np.random.default_rng(0).normal(size=(32, 4)).astype(np.float32)
layers = [cr.Dense(6, "tanh"), cr.Dropout(0.2), cr.Dense(5, "relu"), cr.Dense(1)]
cr.Network(layers, dtype=sys.argv[1]).fit(
    X, X[:, 0], epochs=1, batch_size=16, l2=0.01, engine=cr.JaxEngine(devices="all"), progress=False
)
print(*set(found))
"""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_devices_add_up_all_sums_of_a_step_at_once(dtype: str, tmp_path: Path) -> None:
    """Six arrays of gradients and the loss: XLA by itself has a meeting for each, which on CPUs takes a millisecond."""
    (tmp_path / "script.py").write_text(SUMS)
    flags = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    command = [sys.executable, "-W", "ignore", str(tmp_path / "script.py"), dtype]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONG, env=flags)
    assert done.stdout == "1\n", done.stderr[-3000:]


@by_night
def test_several_devices(folder: Path) -> None:
    done = carried_out(folder, DEVICES, XLA_FLAGS="--xla_force_host_platform_device_count=8")
    assert done.stdout == "done\n", done.stderr[-3000:]


@by_night
@pytest.mark.parametrize(("processes", "split"), [(2, 1), (4, 1), (4, 2)])
def test_several_processes_that_read_their_own_rows(processes: int, split: int, folder: Path) -> None:
    script = BEGINNING + "np.savetxt(folder + '/expected', fitted('numpy', network(512)))"
    assert not carried_out(folder, script).returncode
    expected = np.loadtxt(folder / "expected")
    done = carried_out(folder, PROCESSES, processes=processes, SPLIT=str(split))
    assert done.returncode == 0, done.stderr[-3000:]
    every = [np.loadtxt(folder / f"found{number}") for number in range(processes)]
    np.testing.assert_allclose(every[0], expected, 3e-5)
    for one in every[1:]:
        np.testing.assert_array_equal(one, every[0])
    for number in range(processes):
        assert int(np.loadtxt(folder / f"read{number}")) == 4 * 300 * split // processes


@by_night
@pytest.mark.parametrize("processes", [2, 4])
def test_several_processes_that_read_their_own_rows_of_datasets(processes: int, folder: Path) -> None:
    """Of memmaps and of Parquet files alike: their stripes of all windows, and the last 12 rows of an epoch of 300."""
    X = np.fromfile(folder / "X", np.float32).reshape(300, 6)
    table = pl.DataFrame({**{f"x{i}": X[:, i] for i in range(6)}, "y": np.sin(X).sum(axis=1)})
    (folder / "files").mkdir()
    for part, begin in enumerate(range(0, 300, 75)):
        table[begin : begin + 75].write_parquet(folder / "files" / f"{part}.parquet", row_group_size=25)
    alone = carried_out(folder, STORED + "write('expected', 'numpy')")
    assert not alone.returncode, alone.stderr[-3000:]
    script = STORED + "import jax; write(f'found{jax.process_index()}', cr.JaxEngine(devices='all'))"
    done = carried_out(folder, script, processes=processes)
    assert done.returncode == 0, done.stderr[-3000:]
    expected = np.loadtxt(folder / "expected")
    every = [np.loadtxt(folder / f"found{number}") for number in range(processes)]
    for one in every:
        np.testing.assert_allclose(one[:, 1:], expected[:, 1:], 3e-5)
        np.testing.assert_array_equal(one[:, 1:], every[0][:, 1:])
        assert (np.abs(one[:, 0] - 3 * (288 // processes + 12)) <= 100 // processes + 12).all()
    assert (np.abs(expected[:, 0] - 3 * 300) <= 100).all()


@by_night
@pytest.mark.parametrize("signalled", ["SIGKILL", "SIGTERM"])
def test_a_lost_process_ends_all_and_another_number_goes_on(signalled: str, folder: Path) -> None:
    began = time.monotonic()
    lost = carried_out(folder, KILLED, signalled, processes=2)
    assert time.monotonic() - began < 120
    assert lost.returncode
    assert re.search(r"process \d of 2 .*; the others are ended", lost.stderr), lost.stderr
    assert not (folder / "loss0").exists()
    done = carried_out(folder, KILLED, processes=4)
    assert done.returncode == 0, done.stderr[-3000:]
    whole = folder / "whole"
    whole.mkdir()
    (whole / "X").write_bytes((folder / "X").read_bytes())
    assert not carried_out(whole, KILLED, processes=1).returncode
    np.testing.assert_allclose(np.loadtxt(folder / "loss0"), np.loadtxt(whole / "loss0"), 3e-5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--address", "node1"], "--address was given 'node1'; give the first process's machine and a free port"),
        (["--address", "node1:70000"], "--address was given"),
        (["--number", "1"], "to start one of several processes by hand, give all of"),
        (["--processes", "2", "--number", "1"], "to start one of several processes by hand, give all of"),
        (["--processes", "2", "--address", "node1:29500"], "to start one of several processes by hand, give all of"),
        (["--address", "node1:29500", "--processes", "2", "--number", "2"], "of 2 processes give 0 to 1"),
    ],
)
def test_a_place_among_others_is_said_as_a_whole(options: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("raise AssertionError")
    answer = CliRunner().invoke(app, ["launch", *options, str(tmp_path / "script.py")])
    assert answer.exit_code == 1
    assert said in answer.output


LAUNCHED = {
    "by hand": lambda count, number: (["--processes", count, "--number", number], {}),
    "by MPICH": lambda count, number: ([], {"PMI_SIZE": count, "PMI_RANK": number}),
    "by Open MPI 5": lambda count, number: ([], {"OMPI_COMM_WORLD_SIZE": count, "OMPI_COMM_WORLD_RANK": number}),
    "by Slurm": lambda count, number: (
        [],
        {
            "SLURM_JOB_ID": "7", "SLURM_STEP_NODELIST": "localhost", "SLURM_NTASKS": count, "SLURM_PROCID": number,
            "SLURM_LOCALID": number,
        },
    ),
}  # fmt: skip
"""What every one of several processes is started with."""


@by_night
@pytest.mark.parametrize("how", LAUNCHED)
def test_processes_that_others_start(how: str, folder: Path) -> None:
    script = "import jax\nprint(jax.process_index(), jax.process_count(), len(jax.devices()))"
    (folder / "script.py").write_text(script)
    started = []
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{one.getsockname()[1]}"
    for number in "01":
        options, more = LAUNCHED[how]("2", number)
        command = [sys.executable, "-W", "ignore", "-m", "chainrule", "launch", "--address", address, *options]
        started.append(
            subprocess.Popen([*command, str(folder / "script.py")], stdout=subprocess.PIPE, env={**os.environ, **more})
        )
    assert [one.communicate(timeout=LONG)[0].split() for one in started] == [[b"0", b"2", b"2"], [b"1", b"2", b"2"]]


THREADS = """
import os, sys
before = set(os.listdir("/proc/self/task"))
import jax
jax.devices()
own = set(os.listdir("/proc/self/task")) - before
print(len(own) > 0 and {os.sched_getscheduler(int(one)) for one in own} == {os.SCHED_BATCH})
"""


@by_night
@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="a matter of Linux")
def test_a_thread_that_wakes_up_does_not_take_the_place_of_one_that_computes(folder: Path) -> None:
    """Where gloo's does, every meeting of processes that have a core each takes till the next tick of the clock."""
    done = carried_out(folder, THREADS, processes=2)
    assert done.stdout.split() == ["True", "True"], done.stderr[-3000:]


@by_night
def test_one_that_is_asked_to_end_asks_all(folder: Path) -> None:
    (folder / "script.py").write_text("import os, time; os.write(1, b'begun\\n'); time.sleep(100)")
    command = [sys.executable, "-m", "chainrule", "launch", "--processes", "2", str(folder / "script.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as launched:
        assert launched.stdout is not None
        assert launched.stdout.readline() + launched.stdout.readline() == "begun\nbegun\n"
        launched.send_signal(signal.SIGTERM)
        try:
            assert launched.wait(LONG) == 128 + signal.SIGTERM
        finally:
            launched.kill()
