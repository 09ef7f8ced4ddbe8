"""Stories as JSON, and read back from it: versioned, every number with all its digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from chainrule.errors import DataError
from chainrule.explanation.evaluations.finite_differences import Check
from chainrule.explanation.formulas.indices import Letter
from chainrule.explanation.formulas.symbols import Numeral, Place, Product, Series, Sum
from chainrule.explanation.rendering.json_form import VERSION, exact, written
from chainrule.explanation.rendering.names import Spelled
from chainrule.explanation.rendering.story import (
    Applied,
    ArgumentStory,
    Block,
    Definition,
    Derivative,
    FormulaStory,
    KinkTold,
    Name,
    Passage,
    RuleApplied,
    Signs,
    Statement,
    Story,
    Term,
    Told,
)
from chainrule.ops.notation import ATOM


def as_json(story: Story) -> str:
    """Everything as JSON."""
    return written(data_of(story))


def data_of(story: Story) -> dict[str, Any]:
    """A story as nested dicts and lists."""
    assert story.whole.left is not None
    return {
        "version": VERSION,
        "kind": "derivation",
        "gradient": _formula(story.whole.left),
        "of": _formula(story.output),
        "by": _formula(story.element),
        "value": exact(story.whole.value),
        "digits": story.digits,
        "whole": _statement(story.whole),
        "lines": [_block(block) for block in story.lines],
        "notes": list(story.notes),
    }


def story_from(data: Mapping[str, Any]) -> Story:
    """The story that `data_of` gave, or JSON of it holds."""
    if data.get("kind") != "derivation" or data.get("version") != VERSION:
        raise DataError(
            f"a derivation's data of version {VERSION} were expected, and these are "
            f"{data.get('kind')!r} of version {data.get('version')!r}; give what Derivation.to('json') wrote."
        )
    output, element = _read(data["of"]), _read(data["by"])
    assert isinstance(output, Name)
    assert isinstance(element, Name)
    lines = tuple(map(_read_block, data["lines"]))
    return Story(output, element, _read_statement(data["whole"]), lines, tuple(data["notes"]), data["digits"])


def as_formula_json(story: FormulaStory) -> str:
    """The derivation of a formula as JSON."""
    partials = [
        {
            "argument": x.argument,
            "slope": _formula(x.slope),
            "lines": [
                {"slope": _formula(line.slope), "result": _formula(line.result), "rules": list(line.rules)}
                for line in x.lines
            ],
            "result": _formula(x.result),
        }
        for x in story.partials
    ]
    kinks = [{"of": _formula(x.of), "at": x.where, "inputs": _formulas(x.inputs)} for x in story.kinks]
    return written(
        {
            "version": VERSION,
            "kind": "derivation of a formula",
            "name": _formula(story.name),
            "arguments": _formulas(story.arguments),
            "formula": _formula(story.formula),
            "parts": [{"left": _formula(x.left), "right": _formula(x.right)} for x in story.parts],
            "partials": partials,
            "kinks": kinks,
        }
    )


def formula_story_from(data: Mapping[str, Any]) -> FormulaStory:
    """The story that `as_formula_json` wrote."""
    partials = tuple(
        ArgumentStory(
            x["argument"],
            _read(x["slope"]),
            tuple(RuleApplied(_read(y["slope"]), _read(y["result"]), tuple(y["rules"])) for y in x["lines"]),
            _read(x["result"]),
        )
        for x in data["partials"]
    )
    parts = tuple(Definition(_read(x["left"]), _read(x["right"])) for x in data["parts"])
    kinks = tuple(KinkTold(_read(x["of"]), x["at"], tuple(map(_read, x["inputs"]))) for x in data["kinks"])
    arguments = tuple(map(_read, data["arguments"]))
    return FormulaStory(_read(data["name"]), arguments, _read(data["formula"]), parts, partials, kinks)


# --- equations


def _block(block: Block) -> dict[str, Any]:
    instances = [_statement(x) for x in block.instances]
    return {**_statement(block.statement), "instances": instances, "more": block.more}


def _read_block(data: Mapping[str, Any]) -> Block:
    return Block(_read_statement(data), tuple(map(_read_statement, data["instances"])), data["more"])


def _statement(x: Statement) -> dict[str, Any]:
    check = x.check and {"nudged": exact(x.check.difference), "error": exact(x.check.error), "agrees": x.check.agrees}
    definition = x.definition and {"left": _formula(x.definition.left), "right": _formula(x.definition.right)}
    return {
        "left": None if x.left is None else _formula(x.left),
        "key": x.key or (x.left.key if x.left is not None else ""),
        "places": dict(x.places),
        "definition": definition,
        "rights": [_passage(right) for right in x.rights],
        "value": exact(x.value),
        "rules": list(x.rules),
        "made": [{"rule": rule, "formula": _formula(formula)} for rule, formula in x.made],
        "check": check,
    }


def _read_statement(data: Mapping[str, Any]) -> Statement:
    left, definition, check = data["left"] and _read(data["left"]), data["definition"], data["check"]
    return Statement(
        left,
        tuple(data["places"].items()),
        tuple(map(_read_passage, data["rights"])),
        _number(data["value"]),
        tuple(data["rules"]),
        check and Check(float(check["nudged"]), float(check["error"]), check["agrees"]),
        definition and Definition(_read(definition["left"]), _read(definition["right"])),
        "" if left else data["key"],
        tuple((x["rule"], _read(x["formula"])) for x in data["made"]),
    )


def _passage(x: Passage) -> dict[str, Any]:
    terms = [{"formula": _formula(term.formula), "value": exact(term.value)} for term in x.terms]
    further = {"terms": x.more, "value": exact(x.rest)} if x.more else None
    return {"kind": x.kind, "terms": terms, "joined": x.joined, "digits": x.digits, "further": further}


def _read_passage(data: Mapping[str, Any]) -> Passage:
    terms = tuple(Term(_read(x["formula"]), _number(x["value"])) for x in data["terms"])
    further = data["further"] or {"terms": 0, "value": 0.0}
    return Passage(data["kind"], terms, data["digits"], data["joined"], further["terms"], float(further["value"]))


# --- formulas


def _formula(x: Told) -> dict[str, Any]:
    match x:
        case Numeral(value):
            parts = {"fraction": [value.numerator, value.denominator]} if isinstance(value, Fraction) else {}
            return {"number": exact(value), **parts}
        case Place(letter):
            return {"place": letter.name, "size": letter.size}
        case Sum(terms):
            return {"sum": _formulas(terms)}
        case Product(factors):
            return {"product": _formulas(factors)}
        case Series(letters, body):
            over = [{"letter": letter.name, "size": letter.size} for letter in letters]
            return {"series": _formula(body), "over": over}  # type: ignore[arg-type]
        case Applied(signs, arguments):
            return {"call": signs.name, "of": _formulas(arguments), "signs": _signs(signs)}
        case Derivative():
            return {"derivative": {"of": _formula(x.of), "by": _formula(x.by), "d": x.d}, **_which(x)}
    how = {"strength": x.strength} if x.strength != ATOM else {"brackets": True} if x.bracketed else {}
    return {"name": x.spelled.name, "places": list(x.spelled.places), "text": x.spelled.text, **_which(x), **how}


def _formulas(found: Sequence[Any]) -> list[dict[str, Any]]:
    return [_formula(x) for x in found]


def _which(x: Name | Derivative) -> dict[str, Any]:
    return {"key": x.key, "variable": x.variable, "index": list(x.index), "value": exact(x.value)}


def _signs(x: Signs) -> dict[str, Any]:
    return {"form": x.form, "text": x.sign, "latex": x.latex, "strength": x.strength, "operands": list(x.operands)}


def _read(data: Mapping[str, Any]) -> Any:
    """A formula read back."""
    if "number" in data:
        return Numeral(Fraction(*data["fraction"]) if "fraction" in data else float(data["number"]))
    if "place" in data:
        return Place(Letter(data["place"], data["size"]))
    if "sum" in data:
        return Sum(tuple(map(_read, data["sum"])))
    if "product" in data:
        return Product(tuple(map(_read, data["product"])))
    if "series" in data:
        return Series(tuple(Letter(x["letter"], x["size"]) for x in data["over"]), _read(data["series"]))
    if "call" in data:
        how = data["signs"]
        signs = Signs(data["call"], how["form"], how["text"], how["latex"], how["strength"], tuple(how["operands"]))
        return Applied(signs, tuple(map(_read, data["of"])))
    which = data["variable"], tuple(data["index"]), _number(data["value"])
    if "derivative" in data:
        return Derivative(
            _read(data["derivative"]["of"]), _read(data["derivative"]["by"]), *which, data["derivative"]["d"]
        )
    spelled = Spelled(data["name"], tuple(data["places"]))
    return Name(spelled, data.get("strength", ATOM), data.get("brackets", False), *which)


def _number(x: float | str | None) -> float | None:
    return None if x is None else float(x)
