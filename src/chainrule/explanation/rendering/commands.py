"""Names, formulas and sentences as LaTeX: what is no ASCII becomes a command, as every TeX engine and mathtext know it."""

from __future__ import annotations

import re
import unicodedata

COMMANDS = {
    "·": r"\cdot",
    "−": "-",
    "≥": r"\geq",
    "≤": r"\leq",
    "≠": r"\neq",
    "√": r"\sqrt{}",
    "∂": r"\partial",
    "Σ": r"\Sigma",
    "∞": r"\infty",
    "…": r"\ldots",
    "→": r"\rightarrow",
    "¬": r"\neg",
    "∧": r"\wedge",
    "∨": r"\vee",
    "×": r"\times",
    "∛": r"\sqrt[3]{}",
    "′": "'",
    "ϕ": r"\phi",
    ".": "{.}",
    ":": "{:}",
}
"""Signs, and what stands for them in mathematics."""

_SPECIAL = re.compile(r"([_#$%&{}])")
_TOKEN = re.compile(
    r"\^(?P<power>\([^()]*\)|[−-]?[\w.]+)|(?P<name>[^\W\d²³⁰-₟][\w.#′']*)|(?P<number>\d[\d.]*(e[+−-]?\d+)?)|(?P<other>.)",
    re.S,
)


def words(text: str) -> str:
    """Text for upright letters in mathematics, where a blank is a command too."""
    return "".join(map(_upright, text.replace("**", "^")))


def mathematics(text: str) -> str:
    """A formula as text, `tanh(a·b)²`, as LaTeX: letters in italics, words upright, powers raised."""
    text = re.sub(r"\s*([·+−<>≥≤=≠@-])\s*", r"\1", text)
    return "".join(_written(found) for found in _TOKEN.finditer(text)).strip()


def sentence(text: str) -> str:
    """Text of a paragraph: what only mathematics can write stands between dollar signs."""
    parts = re.split(r"([^\x00-\x7f\u00c0-\u024f]+|\^)", text)  # Latin letters stand in paragraphs as they are
    return "".join(
        f"${''.join(map(_upright, part))}$" if i % 2 else _SPECIAL.sub(r"\\\1", part) for i, part in enumerate(parts)
    )


def _written(found: re.Match[str]) -> str:
    power, name, number, other = found["power"], found["name"], found["number"], found["other"]
    if power is not None:
        return f"^{{{mathematics(power.removeprefix('(').removesuffix(')') if power.startswith('(') else power)}}}"
    if name is not None:
        is_letter = len(_MARKS.sub("", name)) == 1
        return words(name).strip() if is_letter else rf"\mathrm{{{words(name)}}}"
    if number is not None:
        return number.replace("−", "-")
    return f" {_upright(other).strip()} " if other in "·+−-<>≥≤=≠@" else _upright(other)


def _upright(c: str) -> str:
    """One character."""
    if c == " ":
        return r"\ "
    if c == "^":
        return r"\hat{}"
    if c in COMMANDS:
        command = COMMANDS[c]
        return command if not command[-1].isalpha() else f"{command} "
    if ord(c) < 128:
        return _SPECIAL.sub(r"\\\1", c)
    name = unicodedata.name(c, "")
    greek = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER (\w+)", name)
    if greek and greek[2] in _GREEK[greek[1]]:
        command = greek[2].replace("LAMDA", "LAMBDA")
        return rf"\{command.lower() if greek[1] == 'SMALL' else command.capitalize()} "
    letter, accents = unicodedata.normalize("NFD", c)[0], unicodedata.normalize("NFD", c)[1:]
    if accents and letter.isascii() and all(accent in _ACCENTS for accent in accents):
        return "".join(rf"\{_ACCENTS[accent]}{{" for accent in accents) + letter + "}" * len(accents)
    digit = unicodedata.normalize("NFKC", c)
    if digit != c and "SUPERSCRIPT" in name:
        return f"^{{{digit}}}"
    if digit != c and "SUBSCRIPT" in name:
        return f"_{{{digit}}}"
    return c


_MARKS = re.compile("[′'₀-₉⁰²³¹⁴-⁹]")
"""What may follow a letter that it stays one letter."""

_LARGE = "GAMMA DELTA THETA LAMDA XI PI SIGMA UPSILON PHI PSI OMEGA"
_GREEK = {
    "CAPITAL": _LARGE.split(),
    "SMALL": [
        *_LARGE.split(),
        *["ALPHA", "BETA", "EPSILON", "ZETA", "ETA", "IOTA", "KAPPA", "MU", "NU", "RHO", "TAU", "CHI"],
    ],
}
"""The Greek letters that TeX has commands for; others look like Latin ones."""

_ACCENTS = {
    "\u0300": "grave", "\u0301": "acute", "\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0306": "breve",
    "\u0307": "dot", "\u0308": "ddot", "\u030c": "check",
}  # fmt: skip
