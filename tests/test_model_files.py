"""Model files against whoever wishes us harm: saving beside others and over anything, and loading what others have made."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load as from_bytes
from safetensors.numpy import save as to_bytes
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app
from chainrule.errors import ModelFileError, SettingError
from chainrule.network.files.description import digest_of
from chainrule.network.files.values import MOST_LAYERS

MUTATIONS = int(os.environ.get("CHAINRULE_MUTATIONS", "1000"))
X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
unix = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a matter of Unix")


def network(seed: int = 0, width: int = 2) -> cr.Network:
    return cr.Network([cr.Dense(4, "tanh"), cr.Dense(width)], seed=seed).build(3)


def test_damaged_files_are_refused_or_are_what_was_saved() -> None:
    """In a process of its own, whose memory is limited; see damaging.py for what is asserted of each."""
    run = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "damaging.py"), str(MUTATIONS), "0"],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    refused, loaded = map(int, run.stdout.split()[:2])
    assert refused + loaded == MUTATIONS
    assert loaded > MUTATIONS // 50  # the changes are not all so coarse that nothing but JSON is tried


@pytest.mark.parametrize("label", ["\ud800", "a\udcff", "\ude00\ud83d"])
def test_labels_that_cannot_be_written_are_not_saved(label: str, tmp_path: Path) -> None:
    """They could be said in JSON, and neither be printed nor be written into a table."""
    model = network()
    model.fit(X, np.where(X[:, 0] > 0, "in", label), epochs=1, engine="numpy", progress=False)
    with pytest.raises(cr.errors.SettingError, match="half a character"):
        model.save(tmp_path / "m.safetensors")
    fine = network()
    fine.fit(X, np.where(X[:, 0] > 0, "in", "\U0001f600"), epochs=1, engine="numpy", progress=False)
    fine.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(cr.load(tmp_path / "m.safetensors").predict(X), fine.predict(X))


# --- crafted files


def crafted(path: Path, changes: Any, *, arrays: Any = None) -> Path:
    """A file in which the description is changed by a function, with the digest of what is in it then."""
    model = network()
    model.fit(X, np.where(X[:, 0] > 0, "in", "out"), epochs=1, engine="numpy", progress=False)
    model.save(path)
    content = path.read_bytes()
    found = dict(from_bytes(content)) if arrays is None else arrays
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    described = json.loads(header["__metadata__"]["chainrule"])
    described.pop("sha256")
    changes(described)
    digest = digest_of(json.dumps(described), found)
    path.write_bytes(to_bytes(found, metadata={"chainrule": json.dumps({"sha256": digest, **described})}))
    return path


def settings(described: Any) -> Any:
    return described["layers"][0]["settings"]


CRAFTED: dict[str, Any] = {
    "a huge layer": lambda d: settings(d).update(units=10**12),
    "a huge layer, orthogonal": lambda d: settings(d).update(
        units=10**5, weight={"type": "Orthogonal", "settings": {}}
    ),
    "random numbers for a huge layer": lambda d: (
        settings(d).update(units=10**8),
        d["layers"].insert(1, {"type": "Dropout", "settings": {"name": None, "rate": 0.1}}),
    ),
    "a huge input, flattened": lambda d: (
        d.update(inputs=[[2**31]]),
        d["layers"].insert(0, {"type": "Flatten", "settings": {"name": None}}),
    ),
    "a name that is no text, of a layer without arrays": lambda d: d["layers"].append(
        {"type": "Dropout", "settings": {"name": 1, "rate": 0.1}}
    ),
    "half a character": lambda d: d["outputs"][0]["classes"].update(labels=["in", "out\ud800"]),
    "a huge input": lambda d: d.update(inputs=[[10**9]]),
    "an input of no count": lambda d: d.update(inputs=[["3"]]),
    "labels that take gigabytes": lambda d: d["outputs"][0]["classes"].update(dtype="S1000000000"),
    "labels of another kind": lambda d: d["outputs"][0]["classes"].update(dtype="<i8"),
    "objects for labels": lambda d: d["outputs"][0]["classes"].update(dtype="|O", labels=[[], {}]),
    "labels out of order": lambda d: d["outputs"][0]["classes"].update(labels=["out", "in"]),
    "more labels than outputs": lambda d: d["outputs"][0]["classes"].update(labels=["a", "b", "c"]),
    "an optimizer for a layer": lambda d: d["layers"].append({"type": "SGD", "settings": {}}),
    "a schedule for a layer": lambda d: d["layers"].append({"type": "ConstantRate", "settings": {"rate": 1.0}}),
    "a layer for a loss": lambda d: d["outputs"][0].update(loss={"type": "Dense", "settings": {"units": 2}}),
    "an unknown class": lambda d: d["layers"].append({"type": "Popen", "settings": {"args": "true"}}),
    "a layer within itself": lambda d: settings(d).update(weight={"again": 0}),
    "a layer that is not there": lambda d: d["layers"].append({"again": -1}),
    "many layers": lambda d: d.update(layers=[{"again": 0}] * 100_000),
    "no layers": lambda d: d.update(layers=[]),
    "a deep setting": lambda d: settings(d).update(weight=json.loads('{"tuple":[' * 90 + "]}" * 90)),
    "deep notes": lambda d: d.update(notes={"a": json.loads("[" * 150 + "]" * 150)}),
    "notes that are no dict": lambda d: d.update(notes=[1]),
    "another dtype": lambda d: d.update(dtype="float64"),
    "no such dtype": lambda d: d.update(dtype="object"),
    "a negative seed": lambda d: d.update(seed=-1),
    "True for a number": lambda d: d.update(seed=True),
    "an absurd rate": lambda d: d["layers"].append({"type": "Dropout", "settings": {"rate": 10**400}}),
    "a name that is no text": lambda d: settings(d).update(name=5),
}


@pytest.mark.usefixtures("own_garbage")
@pytest.mark.parametrize("kind", CRAFTED)
def test_crafted_descriptions(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = crafted(tmp_path / "m.safetensors", CRAFTED[kind])
    monkeypatch.setattr("chainrule.network.base.initial", None)  # nothing is drawn, whatever the file says
    started = time.process_time()
    with pytest.raises(ModelFileError, match=r"m\.safetensors") as caught:
        cr.load(path)
    assert time.process_time() - started < 1
    tracemalloc.start()  # which takes several times as long
    with pytest.raises(ModelFileError):
        cr.load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6
    assert 40 < len(str(caught.value)) < 600


def test_loading_draws_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = crafted(
        tmp_path / "m.safetensors", lambda d: settings(d).update(weight={"type": "Orthogonal", "settings": {}})
    )
    monkeypatch.setattr(cr.Orthogonal, "__call__", None)
    assert cr.load(path).parameters["dense_0"]["weight"].shape == (3, 4)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_none(value: float, tmp_path: Path) -> None:
    arrays = {f"{a}.{b}": np.array(v) for a, own in network().parameters.items() for b, v in own.items()}
    arrays["dense_1.bias"][0] = value
    with pytest.raises(ModelFileError, match=r"dense_1\.bias"):
        cr.load(crafted(tmp_path / "m.safetensors", lambda d: None, arrays=arrays))


@pytest.mark.parametrize("dtype", ["float16", "int32", "bool", "uint8"])
def test_arrays_of_other_kinds(dtype: str, tmp_path: Path) -> None:
    arrays = {f"{a}.{b}": v.astype(dtype) for a, own in network().parameters.items() for b, v in own.items()}
    with pytest.raises(ModelFileError, match="dtype"):
        cr.load(crafted(tmp_path / "m.safetensors", lambda d: None, arrays=arrays))


def test_the_command_line_gives_one_message(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    for kind in ("a huge layer", "an unknown class", "labels that take gigabytes"):
        path = crafted(tmp_path / "m.safetensors", CRAFTED[kind])
        done = CliRunner().invoke(app, ["predict", str(path), str(tmp_path / "t.csv")])
        assert done.exit_code == 1
        assert isinstance(done.exception, SystemExit)
        assert "Traceback" not in done.output


@unix
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelFileError, match="no file"):
        cr.load(tmp_path / "pipe")
    with pytest.raises(SettingError, match="no file but"):
        network().save(tmp_path / "pipe")
    with pytest.raises(SettingError, match="no file but"):
        network().save("/dev/null")


LABELS: dict[str, Any] = {
    "booleans": np.array([False, True]),
    "small numbers": np.array([1, 2], np.int8),
    "big-endian numbers": np.array([1, 2], ">i4"),
    "numbers from 0 on": np.array([0, 2**63], np.uint64),
    "decimals": np.array([0.5, 1.5]),
    "text": np.array(["a", "öü"]),
    "text in a wide array": np.array(["a", "öü"], "U500"),
    "bytes": np.array([b"a", b"\xff"]),
    "text of any length": np.array(["a", "b" * 1000], np.dtypes.StringDType()),
    "objects": np.array(["a", "b"], object),
    "objects of two kinds": np.array([True, 2], object),
    "equal objects of two kinds": np.array([True, 1], object),
    "text that looks like numbers": np.array(["1", 1], object),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_come_back_as_they_were(kind: str, tmp_path: Path) -> None:
    labels = LABELS[kind]
    model = network()
    model.fit(X, labels[(X[:, 0] > 0).astype(int)], epochs=1, loss="cross_entropy", progress=False)
    model.save(tmp_path / "m")
    found = cr.load(tmp_path / "m")
    assert found.classes.dtype == model.classes.dtype
    assert list(map(repr, found.predict(X).tolist())) == list(map(repr, model.predict(X).tolist()))
    assert found.evaluate(X, model.predict(X))["accuracy"] == 1.0


def test_labels_that_json_would_change_are_not_saved(tmp_path: Path) -> None:
    model = network()
    model.fit(X, np.array([b"a", "a"], object)[(X[:, 0] > 0).astype(int)], epochs=1, progress=False)
    assert set(model.predict(X)) <= {b"a", "a"}
    with pytest.raises(SettingError, match="labels are bytes"):
        model.save(tmp_path / "m")


# --- saving


@pytest.mark.parametrize("name", ["a" * 255, "ü" * 127, " ", "-m", "m.unfinished", ".hidden", "a\nb"])
def test_any_name_that_the_system_takes(name: str, tmp_path: Path) -> None:
    for seed in (1, 2):
        network(seed).save(tmp_path / name)
        assert cr.load(tmp_path / name).seed == seed
    assert [p.name for p in tmp_path.iterdir()] == [name]


@unix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o644])
def test_permissions_stay(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "m"
    network().save(path)
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    path.chmod(mode)
    network(1).save(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert cr.load(path).seed == 1


def test_a_file_that_may_not_be_written_to_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though its folder would allow that; the system says so itself, as an administrator may write to all files."""
    path = tmp_path / "m"
    network().save(path)
    monkeypatch.setattr(os, "access", lambda file, mode: Path(file) != path or not mode & os.W_OK)
    with pytest.raises(PermissionError, match=r"m may not be written to; give another name"):
        network(1).save(path)
    assert cr.load(path).seed == 0
    assert [*tmp_path.iterdir()] == [path]


@unix
def test_what_is_linked_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    network().save(tmp_path / "real" / "m")
    (tmp_path / "link").symlink_to(Path("real") / "m")
    (tmp_path / "link2").symlink_to("link")
    network(7).save(tmp_path / "link2")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "link2").is_symlink()
    assert cr.load(tmp_path / "real" / "m").seed == 7
    (tmp_path / "to come").symlink_to(Path("real") / "new")
    network(8).save(tmp_path / "to come")
    assert cr.load(tmp_path / "real" / "new").seed == 8
    (tmp_path / "round").symlink_to("round")
    with pytest.raises(OSError):  # noqa: PT011  (the system's own words)
        network().save(tmp_path / "round")
    assert sorted(p.name for p in (tmp_path / "real").iterdir()) == ["m", "new"]


@unix
def test_a_planted_name_is_neither_followed_nor_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names that were fixed before, and the very name that is about to be used."""
    monkeypatch.setattr(os, "urandom", lambda n: b"\0" * n)
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / ".m.unfinished").write_text("mine, too")
    network().save(tmp_path / "m")
    assert (tmp_path / ".m.unfinished").read_text() == "mine, too"
    for planted in (lambda p: p.symlink_to(precious), os.mkfifo, lambda p: p.write_text("x")):
        place = tmp_path / f".chainrule-{'00' * 8}.unfinished"
        planted(place)
        with pytest.raises(FileExistsError):
            network(1).save(tmp_path / "m")
        assert place.exists()
        place.unlink()
    assert precious.read_text() == "mine"
    assert cr.load(tmp_path / "m").seed == 0


@unix
def test_the_file_and_its_name_are_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []
    flush, replace = os.fsync, os.replace

    def fsync(handle: int) -> None:
        happened.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        flush(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", lambda a, b: (happened.append("name"), replace(a, b)))
    network().save(tmp_path / "m")
    assert happened == ["file", "name", "folder"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_nothing_is_left_where_it_fails(step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network(3).save(tmp_path / "m")
    for error in (OSError(28, "No space left on device"), KeyboardInterrupt()):

        def fail(*arguments: Any, error: BaseException = error) -> None:
            raise error

        with monkeypatch.context() as patched:
            patched.setattr(os, step, fail)
            with pytest.raises(type(error)):
                network(4).save(tmp_path / "m")
        assert [p.name for p in tmp_path.iterdir()] == ["m"]
        assert cr.load(tmp_path / "m").seed == 3


SAVING = """
    import sys, chainrule as cr
    model = cr.Network([cr.Dense(40), cr.Dense(2)], seed=int(sys.argv[2])).build(30)
    other = cr.Network([cr.Dense(4), cr.Dense(2)], seed=int(sys.argv[2])).build(3)
    for _ in range(40):
        model.save(sys.argv[1]); cr.load(sys.argv[1]); other.save(sys.argv[1]); cr.load(sys.argv[1])
"""


def test_saves_and_loads_of_one_file_at_once(tmp_path: Path) -> None:
    """Threads and processes that all save to one name and load from it: every one succeeds, and nothing is left over."""
    path, errors = tmp_path / "m", []
    network().save(path)
    command = [sys.executable, "-c", __import__("textwrap").dedent(SAVING), str(path)]
    others = [subprocess.Popen([*command, str(seed)], stderr=subprocess.PIPE) for seed in (100, 101)]

    def work(seed: int) -> None:
        try:
            for _ in range(30):
                network(seed).save(path)
                assert cr.load(path).layers
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in others:
        assert other.wait() == 0, other.stderr.read().decode()[-2000:] if other.stderr else ""
        assert other.stderr is not None
        other.stderr.close()
    assert not errors
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize(
    "notes", [{"a": {1: 2, "1": 3}}, {"a": "x" * 2**24}, {"a": [0] * 3_000_000}], ids=["twice", "long", "many"]
)
def test_what_could_not_be_loaded_is_not_saved(notes: Any, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cannot be saved"):
        network().save(tmp_path / "m", notes=notes)
    assert not list(tmp_path.iterdir())


def test_more_layers_than_are_loaded_are_not_saved(tmp_path: Path) -> None:
    network = cr.Network([cr.Flatten()] * (MOST_LAYERS + 1)).build(2)
    with pytest.raises(SettingError, match=f"{MOST_LAYERS + 1} layers"):
        network.save(tmp_path / "deep.safetensors")
    assert not list(tmp_path.iterdir())
