"""Model files damaged in every way we can think of, and loaded: run as a program, with a limit on its memory.

    python tests/damaging.py MUTATIONS SEED

Each is a valid file with a few things changed: bytes, the header, or the description in it, then often with its digest made
right again, as somebody would who wants to do harm. Whatever comes of it: an error of the family, or a network that answers;
where the digest was left as it was, just the network that was saved. In less than a second, and in no more memory than the
file and 200 MB.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app
from chainrule.network.files.description import digest_of, parsed
from chainrule.network.files.reading import read
from chainrule.network.files.storage import DIGEST, KEY
from memory import peak

SECONDS, MEGABYTES = 1.0, 200
X = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
TABLE = "a,b,kind\n" + "".join(f"{a:.2f},{b:.2f},{'up' if a > b else 'down'}\n" for a, b, _ in X)


def scaled(x: Any) -> Any:
    """A function of the user's."""
    return 2.0 * x


def rows(x: Any) -> Any:
    """A network's function."""
    return {"kind": FIRST(x), "size": SECOND(x)}


FIRST, SECOND = cr.Dense(3), cr.Dense(1)
WATCHED: dict[str, Any] = {
    "early_stopping": 3, "optimizer": cr.Adam(cr.OnPlateau(0.1)), "validation_split": 0.3, "batch_size": 7,
}  # fmt: skip
GIVEN: dict[str, Any] = {"function": rows, "custom": {"scaled": scaled}}


def originals(folder: Path) -> list[bytes]:
    """Files of networks of many kinds."""
    shared = cr.Dense(3, "tanh")
    labels = np.where(X[:, 0] > 0, "in", "out")
    networks = [
        (cr.Network([cr.Dense(4, "tanh", name="hidden"), cr.Dropout(0.2), cr.Dense(2)], frozen=["*.bias"]), labels),
        (
            cr.Network([shared, cr.Activation("relu"), shared, cr.Dense(1, weight=[[0.5]] * 3)], dtype="float64"),
            X[:, 0],
        ),
        (cr.Network([cr.Flatten(), cr.Dense(3, weight=cr.Orthogonal(2.0)), scaled, cr.Dense(3)]), X.argmax(axis=1)),
        (cr.Network(rows), {"kind": X.argmax(axis=1), "size": X[:, 1]}),
    ]
    files = []
    for network, y in networks:
        loss = cr.Huber(0.5) if y is not labels and isinstance(y, np.ndarray) and y.dtype.kind == "f" else None
        network.fit(X, y, loss=loss, epochs=1, progress=False, engine="numpy")
        network.save(folder / "m", notes={"columns": ["a", "ü"], "scale": [1.5, None, {"deep": [[[1]]]}]})
        files.append((folder / "m").read_bytes())
    kept = cr.Network([cr.Dense(4, "tanh"), cr.Dense(2)])
    kept.fit(X, labels, **WATCHED, epochs=3, progress=False, engine="numpy", checkpoint=folder / "run.ckpt")
    kept.save(folder / "m", run=True)
    files += [(folder / "m").read_bytes(), (folder / "run.ckpt").read_bytes()]
    (folder / "t.csv").write_text(TABLE)
    small = ("--fast", "--hidden", "4", "--curves", "2", "--epochs", "1")
    done = CliRunner().invoke(
        app, ["train", f"{folder / 't.csv'}", "--target", "kind", "--save", f"{folder / 'm'}", *small]
    )
    assert done.exit_code == 0, done.output
    return [*files, (folder / "m").read_bytes()]


# --- values and places


def values(r: random.Random) -> Any:
    """Something that may not belong where it is put."""
    return r.choice(
        [
            None, True, False, 0, 1, -1, 2, 3, 10**6, 10**12, 2**31, 2**63, 2**64, 10**30, 10**400, -(10**12), 0.5, -0.0,
            1e308, float("nan"), float("inf"), "", "a", "é", "\ud800", "\x00", "\x1b[31m", "a" * 10_000, "relu", "Dense",
            "Orthogonal", "Given", "Adam", "Cosine", "float16", "float64", "object", "S1000000000", "U100000000", "O", "V8",
            "M8[s]", "F64", "F32", "BF16", "I64", [], [[]], [0], [1, 2], [10**9, 10**9], {}, {"tuple": []}, {"again": 0},
            {"again": -1}, {"again": 10**9}, {"function": "os.system"}, {"own function": "scaled"}, {"own type": "scaled"},
            {"type": "Dense", "settings": {"units": 10**12}}, {"type": "Orthogonal", "settings": {"gain": 1e308}},
            {"type": "Dense", "settings": {"units": 3, "weight": {"type": "Given", "settings": {"values": 1}}}},
            {"type": "Parameter", "settings": {"shape": {"tuple": [10**6, 10**6]}}}, {"type": "Network", "settings": {}},
            {"tuple": [{"tuple": []}] * 100}, nested(r.choice([10, 90, 200])),
        ]
    )  # fmt: skip


def nested(depth: int) -> Any:
    found: Any = 1
    for _ in range(depth):
        found = [found]
    return found


def places(x: Any) -> list[tuple[Any, Any]]:
    """Every place in nested dicts and lists, as the container and the key."""
    found, todo = [], [x]
    while todo:
        each = todo.pop()
        items = each.items() if isinstance(each, dict) else enumerate(each) if isinstance(each, list) else ()
        for key, value in items:
            found.append((each, key))
            todo.append(value)
    return found


def change(x: Any, r: random.Random) -> None:
    """Change one thing in nested dicts and lists."""
    where = places(x)
    if not where:
        return
    container, key = r.choice(where)
    match r.randrange(6):
        case 0 | 1 | 2:
            container[key] = values(r)
        case 3:
            del container[key]
        case 4:
            other, place = r.choice(where)
            container[key] = json.loads(json.dumps(other[place])) if place in dict(pairs(other)) else 0
        case 5 if isinstance(container, dict):
            container[r.choice(["tuple", "again", "type", "settings", "name", "a.b", "__metadata__", ""])] = values(r)
        case _ if isinstance(container, list):
            container.insert(key, values(r))


def pairs(x: Any) -> Any:
    return x.items() if isinstance(x, dict) else enumerate(x)


# --- files


def split(content: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def put_together(header: str | bytes, data: bytes) -> bytes:
    text = header if isinstance(header, bytes) else header.encode("utf-8", "surrogatepass")
    return len(text).to_bytes(8, "little") + text + data


def twice(text: str, r: random.Random) -> str:
    """A JSON text with something in it that its own writers never write."""
    spots = [i for i, c in enumerate(text) if c in "{[,:"]
    if not spots:
        return text
    spot = r.choice(spots) + 1
    more = r.choice(
        [
            '"format":1,',
            '"layers":[],',
            "NaN,",
            "1e999,",
            "[" * 5000,
            "[" * 100_000,
            '{"a":' * 5000,
            "9" * 5000 + ",",
            ",",
            " ",
        ]
    )
    return text[:spot] + more + text[spot:]


def bytes_changed(content: bytes, r: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(r.choice([1, 1, 2, 8])):
        i, n = r.randrange(len(damaged) + 1), r.choice([1, 1, 4, 64])
        match r.randrange(6):
            case 0 | 1:
                damaged[i : i + 1] = bytes([r.randrange(256)])
            case 2:
                del damaged[i : i + n]
            case 3:
                damaged[i:i] = r.randbytes(n)
            case 4:
                del damaged[i:]
            case 5:
                damaged[:8] = r.choice([r.randrange(2 * len(content)), 2**63, 2**24, 0, 2]).to_bytes(8, "little")
        if not damaged:
            break
    return bytes(damaged)


def header_changed(content: bytes, r: random.Random) -> bytes:
    header, data = split(content)
    for _ in range(r.choice([1, 1, 2])):
        change(header, r)
    text = json.dumps(header)
    return put_together(twice(text, r) if r.random() < 0.2 else text, data)


def description_changed(content: bytes, r: random.Random) -> bytes:
    header, data = split(content)
    described = json.loads(header["__metadata__"][KEY])
    for _ in range(r.choice([1, 1, 2, 4])):
        change(r.choice([described, described.get("notes", 0)]), r)
    text = json.dumps(described)
    header["__metadata__"][KEY] = twice(text, r) if r.random() < 0.2 else text
    return put_together(json.dumps(header), data)


def made_right(content: bytes, folder: Path) -> bytes:
    """The file with the digest of what is now in it, where that can be found out."""
    try:
        header, data = split(content)
        text = header["__metadata__"][KEY]
        described = parsed(text)
        described.pop(DIGEST, None)
        kinds = {"F32": "<f4", "F64": "<f8", "I64": "<i8"}
        arrays = {
            name: np.frombuffer(data[slice(*facts["data_offsets"])], kinds[facts["dtype"]]).reshape(facts["shape"])
            for name, facts in header.items()
            if name != "__metadata__"
        }
        header["__metadata__"][KEY] = json.dumps({DIGEST: digest_of(json.dumps(described), arrays), **described})
        return put_together(json.dumps(header), data)
    except Exception:
        return content


WAYS: list[Callable[[bytes, random.Random], bytes]] = [
    bytes_changed,
    header_changed,
    description_changed,
    description_changed,
]


# --- what comes of it


def same(a: Any, b: Any) -> bool:
    """Whether two networks are the same in all that is saved."""
    alike = (a.dtype, a.seed, a.frozen, a.notes, repr(a.meanings))
    numbers = all(
        np.array_equal(value, b.parameters[layer][name])
        for layer, own in a.parameters.items()
        for name, value in own.items()
    )
    return numbers and alike == (b.dtype, b.seed, b.frozen, b.notes, repr(b.meanings)) and answers(a) == answers(b)


def loaded(path: Path) -> Any:
    """The network in a file, which may be a table's."""
    found = cr.load(path, **GIVEN)
    return found.network if isinstance(found, cr.TableModel) else found


def answers(network: Any) -> Any:
    """What a network answers, or the error of the family by which it refuses."""
    shapes = network.model.inputs
    if sum(np.prod(shape, dtype=float) for shape in shapes) > 10_000:
        return None
    given = tuple(np.resize(X, (5, *shape)) for shape in shapes)
    try:
        return repr((network.predict(given if len(given) > 1 else given[0]), network(*given)))
    except cr.ChainruleError as error:
        return repr(error)


def gone_on_with(network: Any, content: bytes, path: Path) -> None:
    """Train on from a run that a file has, as a network's, as a checkpoint and as one that is there already, or have it refused."""
    if network.run is None or network.run.epochs > 10:
        return
    labels = np.where(X[:, 0] > 0, "in", "out")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for again in (
            lambda: network.fit(
                X, labels, **WATCHED, epochs=5, progress=False, engine="llvm", continue_from=network.run
            ),
            lambda: cr.resume(path, X, labels, epochs=5, engine="numpy", progress=False, custom=GIVEN["custom"]),
            lambda: network.fit(X, labels, epochs=1, engine="numpy", progress=False, checkpoint=path),
        ):
            path.write_bytes(content)
            with suppress(cr.ChainruleError):
                again()


def tried(content: bytes, expected: Any, path: Path) -> str:
    """Load a damaged file; says what came of it."""
    path.write_bytes(content)
    before, started = peak(), time.process_time()
    try:
        network = loaded(path)
    except cr.errors.ModelFileError as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert str(path) in refusal
        assert len(refusal) < 2000
        assert refusal.isprintable(), "a message that may tell a terminal what to do"
        return outcome("refused", before, started, len(content))
    result = outcome("loaded", before, started, len(content))
    if expected is not None:
        assert same(network, expected), "loaded as another network than was saved"
    told = answers(network)
    network.save(path)
    again = loaded(path)
    assert answers(again) == told, "not the same when saved again"
    gone_on_with(network, content, path)
    return result


def outcome(what: str, before: int, started: float, size: int) -> str:
    seconds, more = time.process_time() - started, peak() - before
    assert seconds < SECONDS, f"{what} after {seconds:.1f} s"
    assert more < MEGABYTES * 2**20 + size, f"{what} after {more >> 20} MB"
    return what


def on_the_command_line(content: bytes, path: Path, table: Path) -> None:
    """Predict and evaluate with a damaged file: answers or one message, and no traceback."""
    path.write_bytes(content)
    for command in ("predict", "evaluate"):
        done = CliRunner().invoke(app, [command, str(path), str(table)])
        assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
        assert "Traceback" not in done.output


def main(mutations: int, seed: int) -> None:
    """Try so many; prints how many were refused and how many loaded."""
    counts = {"refused": 0, "loaded": 0}
    slowest = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = originals(folder)
        path = folder / "damaged"
        saved = []
        for content in files:
            path.write_bytes(content)
            read(path)
            saved.append(loaded(path))
        limit_memory()
        for number in range(mutations):
            r = random.Random(seed * 1_000_003 + number)
            which = r.randrange(len(files))
            content = r.choice(WAYS)(files[which], r)
            right = r.random() < 0.5
            if right:
                content = made_right(content, folder)
            try:
                counts[tried(content, None if right else saved[which], path)] += 1
                if which == len(files) - 1 and r.random() < 0.1:
                    on_the_command_line(content, path, folder / "t.csv")
            except BaseException as error:
                kept = Path(tempfile.gettempdir()) / f"chainrule-damaged-{seed}-{number}"
                kept.write_bytes(content)
                raise AssertionError(f"mutation {number} of seed {seed}, kept as {kept}") from error
    print(counts["refused"], counts["loaded"], f"{time.perf_counter() - slowest:.0f} s")


def limit_memory() -> None:
    """So that a mistake ends this program and not the machine."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
