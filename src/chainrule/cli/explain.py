"""`chainrule explain`: why a prediction or a gradient of a stored model, or a gradient of an expression, is what it is."""

from __future__ import annotations

import json
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from chainrule.cli.console import complain, say, show
from chainrule.cli.exits import FAILED
from chainrule.cli.options import Decimal, Encoding, MissingChoice, Separator
from chainrule.cli.rows import Chosen, chosen, one_row, tell
from chainrule.cli.values import table_of
from chainrule.errors import SettingError, UnknownNameError
from chainrule.explanation.derivations.derivation import Derivation
from chainrule.explanation.expressions import parse_expression
from chainrule.explanation.splits.contributions import Contributions
from chainrule.tables import Table
from chainrule.tabular import TableModel

MARKED = {
    r"\A[∂d].*?(?= =)": "bold",
    r"(?m)\((?:mean|sum|constant|power|product|quotient|exponential|derivative|case)\b[^\n]*\)$": "dim",
    r"(?m)^.* is not differentiable.*$": "yellow", r"<<< DOES NOT AGREE": "bold red",
}  # fmt: skip
"""Parts of a derivation that stand out at a terminal."""


class Depth(StrEnum):
    """How many lines a derivation has."""

    layers = "layers"
    factors = "factors"
    terms = "terms"


class Form(StrEnum):
    """What a derivation is written as."""

    text = "text"
    latex = "latex"
    markdown = "markdown"
    json = "json"
    html = "html"


MODEL: Any = {"rich_help_panel": "A saved model"}
ANSWER: Any = {"rich_help_panel": "The explanation"}
DIGITS = 6


def explain(
    given: Annotated[
        list[str] | None,
        typer.Argument(
            help="A model saved by `chainrule train --save` and a table; with --expression its numbers, such as a=2 b=-3.",
            metavar="MODEL DATA | NAME=NUMBER",
            show_default=False,
        ),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--weight",
            "--of",
            help="Explain the gradient with respect to this instead, such as dense_0.weight[0,1], dense_1.z[2] or x[0], or a name "
            "in the expression. May be repeated.",
            metavar="WHAT",
        ),
    ] = None,
    expression: Annotated[
        str | None,
        typer.Option(help='A formula instead of a model, such as "(a*b + c)*tanh(f)".', metavar="FORMULA"),
    ] = None,
    row: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            help="A row of DATA, counted from 1. For gradients several form one batch; by default all.",
            **MODEL,
            metavar="N",
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            "--class",
            help="For a prediction, the class to explain. By default the predicted one.",
            **MODEL,
            metavar="LABEL",
        ),
    ] = None,
    contributions: Annotated[
        bool, typer.Option("--contributions", help="Split the gradient by output, by sample and by path.", **MODEL)
    ] = False,
    missing: Annotated[
        MissingChoice | None,
        typer.Option(help="Missing values: fill, drop or error. By default as in training.", **MODEL, metavar="WHAT"),
    ] = None,
    separator: Separator = None,
    encoding: Encoding = None,
    decimal: Decimal = None,
    depth: Annotated[
        Depth | None,
        typer.Option(
            help="For a gradient, one line per layer, per named value (factors) or per operation (terms). By default factors.",
            **ANSWER,
        ),
    ] = None,
    digits: Annotated[
        int | None,
        typer.Option(min=1, max=17, help="Significant digits of a gradient. By default 6.", **ANSWER, metavar="N"),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Compare the gradients with finite differences, and fail if they differ.", **ANSWER
        ),
    ] = False,
    form: Annotated[Form, typer.Option("--format", help="The output format.", **ANSWER)] = Form.text,
) -> None:
    """Explain a prediction column by column, or a gradient by the chain rule, in symbols and in numbers.

    chainrule explain model.safetensors data.csv --row 3

    chainrule explain model.safetensors data.csv --row 3 --weight "dense_0.weight[0,1]"

    chainrule explain --expression "(a*b + c)*f" a=2 b=-3 c=10 f=-2 --of a
    """  # fmt: skip
    options = {"depth": (depth or Depth.factors).value, "digits": digits or DIGITS, "check": check}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        if expression is not None:
            if contributions or row or label:
                raise SettingError(
                    "--row, --class and --contributions are for saved models; leave them out with --expression."
                )
            _explain_expression(expression, given or [], by or [], form, options)
        elif given is None or len(given) != 2:
            raise SettingError(
                f"explain was given {' '.join(given or []) or 'nothing'}; give a model and a table, with --row, or "
                '--expression "a*b" a=2 b=-3.'
            )
        elif by:
            rows = chosen(Path(given[0]), given[1], row or [], missing, separator, encoding, decimal)
            _explain_gradient(rows, by, form, options, contributions)
        else:
            of_gradients = {
                "--depth": depth, "--digits": digits, "--check": check, "--contributions": contributions, "--missing": missing,
            }  # fmt: skip
            _refuse(name for name, given_value in of_gradients.items() if given_value)
            found = one_row(Path(given[0]), given[1], _single(row or []), separator, encoding, decimal)
            _explain_prediction(Path(given[0]).name, *found, label, form)
    for warning in caught:
        complain(str(warning.message))
    if caught:
        raise typer.Exit(FAILED)


# --- an expression


def _explain_expression(
    text: str, given: Sequence[str], by: Sequence[str], form: Form, options: dict[str, Any]
) -> None:
    parsed = parse_expression(text)
    result, values = parsed.values(_numbers(given))
    for name in by:
        if name not in values:
            raise UnknownNameError.among("name in the expression", name, values)
    derivations = [result.explain(values[name], **options) for name in by or values]
    if form is Form.text:
        say(text.strip(), "bold")
        say(f"evaluated from the inside out, with the derivative of {result.name} by each part:")
        say()
        say(table_of(result, options["digits"]))
        say()
    print_parts(_written(derivations, form), form)


def _numbers(given: Sequence[str]) -> dict[str, float]:
    """The numbers of a command line such as `a=2 b=-3 c=1/3`."""
    numbers: dict[str, float] = {}
    for text in given:
        name, sign, typed = text.partition("=")
        name = unicodedata.normalize("NFKC", name.strip())
        if not sign or not name.isidentifier():
            raise SettingError(f"{text!r} was given as a number for the expression; write it as a=2.")
        if name in numbers:
            raise SettingError(f"{name} was given two numbers; give one.")
        try:
            numbers[name] = float(typed)
        except ValueError:
            parsed = parse_expression(typed)
            if parsed.names:
                raise SettingError(f"{text!r} has no number after the equals sign; write it as {name}=2.") from None
            numbers[name] = float(parsed())
    return numbers


# --- a stored model


def _single(row: Sequence[int]) -> int | None:
    """The one row that was asked for."""
    if len(row) > 1:
        raise SettingError(
            f"--row was given {len(row)} times; give one, because a prediction is explained one row at a time."
        )
    return row[0] if row else None


def _refuse(options: Iterable[str]) -> None:
    """Refuse options that only say how a gradient is explained."""
    if of_gradients := ", ".join(options):
        raise SettingError(
            f"{of_gradients} was given for a prediction, but is for gradients; leave it out, or ask for a gradient with "
            "--weight dense_0.weight[0,1]."
        )


def _explain_prediction(
    called: str, found: TableModel, table: Table, number: int, label: str | None, form: Form
) -> None:
    """A row's prediction, split by column."""
    if form not in (Form.text, Form.html, Form.json):
        raise SettingError(
            f"the explanation of a prediction cannot be written as {form.value}; use --format text, json or html."
        )
    known = {str(x): x for x in found.classes}
    if label is not None and not known:
        raise SettingError(f"--class {label} was given, but {found.target!r} is a number; leave --class out.")
    if label is not None and label not in known:
        raise UnknownNameError.among("class", label, known)
    parts = found.explain(table, label=None if label is None else known[label])
    if form is Form.text:
        say(f"{called} on {table.source}, row {number}", "bold")
        say()
    print_parts([json.loads(parts.to("json")) if form is Form.json else parts.to(form.value)], form)


def _explain_gradient(rows: Chosen, by: Sequence[str], form: Form, options: dict[str, Any], split: bool) -> None:
    if split:
        writers: dict[Form, Callable[[Contributions], Any]] = {
            Form.text: str, Form.html: lambda found: found.to("html"), Form.json: lambda found: found.data(),
        }  # fmt: skip
        if form not in writers:
            raise SettingError(f"contributions cannot be written as {form.value}; use --format text, json or html.")
        digits = options["digits"]
        names = [f"row {number}" for number in rows.numbers]
        found = [rows.network.contributions(rows.X, rows.y, x, digits=digits, sample_names=names) for x in by]
        parts = [writers[form](one) for one in found]
    else:
        parts = _written([rows.network.explain(rows.X, rows.y, where, **options) for where in by], form)
    if form is Form.text:
        tell(rows)
    print_parts(parts, form)


# --- writing


def _written(derivations: Sequence[Derivation], form: Form) -> list[Any]:
    return [json.loads(one.to("json")) if form is Form.json else one.to(form.value) for one in derivations]


def print_parts(parts: Sequence[Any], form: Form) -> None:
    """The explanations as one text that is whole: a JSON value, a page, or one below the other."""
    if form is Form.json:
        typer.echo(json.dumps(parts[0] if len(parts) == 1 else parts, indent=1, ensure_ascii=False))
    elif form is Form.html:
        typer.echo(
            '<!doctype html>\n<meta charset="utf-8">\n<title>chainrule explain</title>\n' + "\n<hr>\n".join(parts)
        )
    elif form is Form.text:
        show("\n\n".join(_without_repetition(parts)), MARKED)
    else:
        typer.echo("\n\n".join(parts))


def _without_repetition(texts: Sequence[str]) -> Iterator[str]:
    """Texts one below the other, a line between them; paragraphs that stand in an earlier one are left out."""
    told: set[str] = set()
    for i, text in enumerate(texts):
        paragraphs = text.split("\n\n")
        new = [x for x in paragraphs if x not in told or not x.startswith(" ")]
        told.update(paragraphs)
        if i:
            yield "─" * 60
        yield from new
        if len(new) < len(paragraphs):
            yield "Lines already shown above are left out."
