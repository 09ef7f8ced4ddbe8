"""What notebooks show: a form for every front end, and nothing that a notebook which was handed out would lose."""

import copy
import pickle
import re
import subprocess
import sys
from base64 import b64decode
from html.parser import HTMLParser
from xml.dom import minidom

import numpy as np
import pytest

import chainrule as cr
from chainrule.notebooks import FORMS, Shown, Text
from chainrule.tabular.explaining.attribution import Attribution, ColumnPart
from chainrule.tabular.explaining.dependence import Dependence
from chainrule.tabular.explaining.importance import ColumnImportance, Importance
from chainrule.tabular.explaining.levels import Level
from chainrule.tabular.scoring.scores import Scores
from chainrule.training.metrics import metric_for

X, y = np.array([[0.4, -0.7], [0.1, 0.3]]), np.array([[0.2, 0.9], [0.5, 0.1]])
NETWORK = cr.Network([cr.Dense(3, "sigmoid", name="hidden"), cr.Dense(2, name="output")], dtype="float64").build(2)
FITTED = cr.Network([cr.Dense(2)])
HISTORY = FITTED.fit(X, [0, 1], loss="cross_entropy", epochs=4, progress=False, validation_data=(X, [0, 1]))
a, b = cr.values(a=2.0, b=-3.0)
L = (a * b + a).named("L")
L.backward()
TABLE = {"<i>": [float(i) for i in range(40)], "b & c": [i % 3 for i in range(40)], "y": ["<b>", "c"] * 20}
QUICK = cr.Recipe(hidden=(4,), width=0)
MODEL = cr.TableModel(recipe=QUICK, epochs=2, folds=2, search=False, progress=False).fit(TABLE, "y")

FORMULAS = {
    "value": L,
    "array": np.sign(cr.Value(np.arange(6.0).reshape(2, 3), "x")),
    "explanation": NETWORK.explain(X, y, "hidden.weight[0, 1]", loss="squared_error", check=True),
    "formula for all": NETWORK.explain(X, y, "hidden.weight[i, j]", loss="squared_error"),
    "derivation": cr.derivation(lambda a, b: np.tanh(a * b) + b**2),
    "step": NETWORK.step_by_step(X, y, loss="squared_error"),
    "diagnosis": NETWORK.diagnose(X, y, loss="squared_error"),
    "comparison": NETWORK.compare(X, y, {"output.bias": np.array([1.0, 2.0])}, loss="squared_error"),
    "update": NETWORK.step_by_step(X, y, loss="squared_error").update,
}
OTHERS = {
    "network": NETWORK,
    "summary": NETWORK.summary(batch_size=8),
    "history": HISTORY,
    "contributions": NETWORK.contributions(X, y, "hidden.weight[0, 1]", loss="squared_error"),
    "order": cr.evaluation_order(lambda a, b: a * b + a, 2.0, 3.0, mode="forward"),
    "Program": cr.trace(lambda x: np.sum(np.tanh(x)), X),
    "long Program": cr.trace(lambda x: sum(np.sin(x * k) for k in range(60)), 1.0),
    "drawing": NETWORK.draw(X, y, loss="squared_error"),
    "drawing of a value": L.draw(),
    "drawing of a history": HISTORY.draw(),
    "table": NETWORK.step_by_step(X, y, loss="squared_error").forward.tables[0],
    "hypergradient": cr.hypergradient(
        cr.Network([cr.Dense(1)], dtype="float64").build(2), (X, [0.0, 1.0]), (X, [1.0, 1.0]), epochs=2
    ).explain("learning_rate"),
    "scores of classes": Scores(np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]]), ("a", "<b>")),
    "scores of amounts": Scores(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.5, 2.0])),
    "attribution": Attribution("y", "amount", None, 1.0, 0.5, (ColumnPart("<i>", "&", 0.5),), 0.0),
    "importance": Importance(metric_for("regression"), 0.5, (ColumnImportance(("<i>",), 0.3, None),), (), ("a < b",), 9, 1),
    "dependence": Dependence(
        "<i>", "y", ("y",), (Level(1.0, "1", 0.5, (1.0,)), Level(2.0, "2", 0.5, (3.0,))), True, None, (2.0,), 9
    ),
    "rate search": cr.Network([cr.Dense(2)]).find_learning_rate(X, [0, 1], steps=20),
    "model of a table": MODEL,
    "report of a table": MODEL.report(TABLE, beside=["majority class"], seconds=0.1),
}  # fmt: skip

RANKS = ["text/html", "text/markdown", "text/latex", "image/svg+xml", "text/plain"]
"""The order of JupyterLab's renderers, and of nbconvert."""

KEPT = {"p", "b", "br", "small", "strong", "em", "span", "div", "table", "tr", "td", "th", "img", "tbody", "thead"}
PROPERTIES = {"text-align", "padding", "width", "max-width", "height", "color"}
"""Tags and properties that JupyterLab keeps in HTML of a notebook that is not trusted."""


class Reader(HTMLParser):
    """Notes tags, properties and pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.properties: set[str] = set()
        self.pictures: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        given = dict(attributes)
        self.properties |= {part.split(":")[0].strip() for part in (given.get("style") or "").split(";") if part}
        if tag == "img":
            self.pictures.append(given)


@pytest.mark.parametrize("name", [*FORMULAS, *OTHERS])
def test_every_front_end_finds_a_form(name):
    shown = {**FORMULAS, **OTHERS}[name]
    assert isinstance(shown, Shown)
    bundle = shown._repr_mimebundle_()
    assert set(bundle) <= set(RANKS)
    assert bundle["text/plain"] == repr(shown)
    assert next(form for form in RANKS if form in bundle) == ("text/markdown" if name in FORMULAS else "text/html")
    for form, text in bundle.items():
        assert text
        assert text == getattr(shown, FORMS[form])()  # by itself, for front ends that ask form by form
    assert list(shown._repr_mimebundle_(include={"text/plain"})) == ["text/plain"]
    assert "text/plain" not in shown._repr_mimebundle_(exclude={"text/plain"})


@pytest.mark.parametrize("name", OTHERS)
def test_html_survives_in_a_notebook_that_is_not_trusted(name):
    html = OTHERS[name]._repr_mimebundle_()["text/html"]
    minidom.parseString(f"<all>{html.replace('&#x27;', '')}</all>")
    reader = Reader()
    reader.feed(html)
    assert reader.tags <= KEPT
    assert reader.properties <= PROPERTIES
    for picture in reader.pictures:
        kind, _, data = picture["src"].partition(",")
        assert kind == "data:image/svg+xml;base64"
        minidom.parseString(b64decode(data))
        assert len(picture["alt"]) > 20
        assert "max-width:100%" in picture["style"]
        assert "height:auto" in picture["style"]


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas_are_whole_latex_in_markdown(name):
    text = FORMULAS[name]._repr_markdown_()
    assert text.count("$") % 2 == 0
    assert r"\operatorname" not in text  # which GitHub refuses
    assert text.count(r"\begin{") == text.count(r"\end{")
    for formula in re.findall(r"\$\$(.*?)\$\$", text, re.S):
        assert formula.isascii(), formula
        assert formula.count("{") == formula.count("}")
        assert formula.count(r"\left") == formula.count(r"\right")
        rows = formula.replace(r"\begin{aligned}", "").replace(r"\end{aligned}", "").split(r"\\")
        assert {row.count("&") for row in rows} <= {1, 3}


def test_values_say_what_they_are_computed_from():
    assert L._repr_markdown_() == r"$L = a \cdot b + a = -4,\qquad \mathrm{grad} = 1$"
    assert a._repr_markdown_() == r"$a = 2,\qquad \mathrm{grad} = -2$"
    assert (a * b)._repr_markdown_() == r"$a \cdot b = -6$"
    x, w = cr.values(x=np.ones((2, 3)), w=np.zeros(3))
    assert (x @ w).named("z")._repr_markdown_() == (
        r"$z_{i} = \sum_{k} x_{ik} \cdot w_{k},\qquad z = \begin{pmatrix} 0 & 0 \end{pmatrix}$"
    )
    large = cr.Value(np.zeros((9, 9)))._repr_markdown_()
    assert large.count(r"\\") == 5
    assert r"\vdots" in large
    assert r"\cdots" in large
    assert "of" in cr.Value(np.zeros((2, 2, 2)))._repr_markdown_()


def test_values_of_long_computations_have_their_number_alone():
    x = y = cr.Value(1.0, "x")
    for _ in range(3000):
        y = y * 0.5 + 0.5
    assert y._repr_markdown_() == "$1$"
    assert (x * x * x + x / 2 - 1)._repr_markdown_().count("x") == 2  # x³ + x/2 − 1


def test_a_network_that_is_not_built_has_its_text():
    assert list(cr.Network([cr.Dense(2)])._repr_mimebundle_()) == ["text/plain"]


def test_a_summary_is_text_that_reads_as_it_is():
    text = NETWORK.summary(batch_size=8)
    assert isinstance(text, str)
    assert repr(text) == str(text) == "".join(text)
    assert "hidden" in text
    assert len(text.splitlines()) == 8
    assert pickle.loads(pickle.dumps(text)) == copy.deepcopy(text) == text
    assert text._repr_html_() == copy.copy(text)._repr_html_()
    assert repr(Text("one\ntwo")) == "one\ntwo"
    assert repr(cr.Perceptron().summary()) == "Perceptron, not trained yet."


def test_learning_curves_have_a_picture_without_pyplot():
    """In a process of its own: whoever has imported pyplot has told IPython of figures."""
    program = (
        "import sys, warnings, matplotlib.figure, numpy as np, chainrule as cr\n"
        "warnings.simplefilter('error')\n"  # from here on: what an old Matplotlib is warned of at its import is its own matter
        "h = cr.Network([cr.Dense(1)]).fit(np.ones((4, 2)), np.ones(4), epochs=2, progress=False)\n"
        "figure = h.plot()\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert figure._repr_png_().startswith(b'\\x89PNG')\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_learning_curves_are_drawn_for_any_history():
    for epochs in (1, 2, 1000):
        history = cr.History()
        losses = np.linspace(1.0, 0.1, epochs)
        losses[epochs // 2] = np.nan if epochs > 2 else 1.0
        history.extend({"loss": losses, "val_loss": 2 * losses, "seconds": np.ones(epochs)})
        history.best_epoch = epochs - 1
        svg = history.draw().svg
        minidom.parseString(svg)
        assert "nan" not in svg
        assert len(svg) < 40_000
        assert "validation" in svg
        assert "best epoch" in svg
    nothing = cr.History()
    nothing.extend({"loss": [np.nan]})
    assert "no finite number" in nothing.draw().svg
    assert "No epochs" in cr.History().draw().svg
