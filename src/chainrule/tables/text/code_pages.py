"""Which encoding of one byte a character a text is in, told by what its words look like in each.

A wrong encoding makes what no language writes: signs within words, capitals behind small letters, letters of two scripts in a word,
words of accented letters alone. Letters of one script that stand for each other are told by how frequent they are. What is left makes
several encodings as good; the commoner one is taken, and whoever asks is told of the others.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

NAMES = {
    "cp1252": "Windows-1252", "cp850": "DOS 850", "cp1250": "Windows-1250", "cp1251": "Windows-1251", "cp866": "DOS 866",
    "koi8-r": "KOI8-R", "cp1253": "Windows-1253", "cp1254": "Windows-1254", "cp852": "DOS 852", "mac-roman": "Mac Roman",
}  # fmt: skip
"""What can be recognised, the commoner before the rarer: the west of Europe, its middle, Cyrillic, Greek and Turkish letters."""

MOST_WORDS, MOST_LOOKS = 2000, 100_000
"""Different words that are looked at, and how many in all."""

CLEARLY = 0.15
"""By what share of the words another encoding has to be better than a commoner one."""

FREQUENT = {"CYRILLIC": frozenset("оеаинтсрвлкмдпуі"), "GREEK": frozenset("αοιετσνηυρπκςάίέόήώύ")}
"""Letters that make up most of a text, in scripts whose encodings have letters where others of them have other letters."""

BESIDE = "°²³µ“”„‘’‚–—…«»·¿¡´`ºª©®™†•\u00a0"
"""Signs that stand before and behind words."""

WITHIN, ALONE = "’-–", "¼½¾€£§±×%‰"
"""Those within them, and those that stand alone."""

_BEYOND = re.compile(rb"[\x80-\xff][A-Za-z\x80-\xff]*")


class CodePage(NamedTuple):
    """A guess.

    Attributes
    ----------
    encoding : str
        The likeliest.
    others : tuple of str
        Those that spell words otherwise and no worse; where there are none, the next best alone.
    sure : bool
        Whether there are none.
    """

    encoding: str
    others: tuple[str, ...]
    sure: bool


def code_page(data: bytes) -> CodePage:
    """The likeliest encoding of bytes, some of which are not ASCII.

    Examples
    --------
    >>> [code_page(text.encode(name)).encoding for text, name in [("Москва", "cp1251"), ("Köln", "cp850"), ("Łódź", "cp1250")]]
    ['cp1251', 'cp850', 'cp1250']
    >>> code_page("Gdańsk".encode("cp1250"))  # or Gdañsk
    CodePage(encoding='cp1252', others=('cp1250',), sure=False)
    """
    words = words_in(data)
    doubts = {name: _doubt(words, name) for name in NAMES}
    best = min(doubts.values())
    good = [name for name in NAMES if doubts[name] <= best + CLEARLY]
    found = good[0]
    others = [name for name in good if spelled(words, name) != spelled(words, found)]
    rest = sorted((name for name in NAMES if name != found), key=doubts.__getitem__)
    return CodePage(found, tuple(others or rest[:1]), not others)


def spelled(words: Sequence[bytes], encoding: str) -> list[str]:
    """Words in an encoding."""
    return [word.decode(encoding, "replace") for word in words]


def words_in(data: bytes) -> list[bytes]:
    """Some of the words with characters beyond ASCII, each once."""
    words: dict[bytes, None] = {}
    for match in islice(_BEYOND.finditer(data), MOST_LOOKS):
        begin = match.start()
        while data[begin - 1 : begin].isalpha():
            begin -= 1
        words[data[begin : match.end()]] = None
        if len(words) == MOST_WORDS:
            break
    return list(words)


def _doubt(words: Sequence[bytes], encoding: str) -> float:
    """How much of the words no language writes, from 0 to 1."""
    return sum(map(_doubt_of_word, spelled(words, encoding))) / max(1, len(words))


def _doubt_of_word(word: str) -> float:
    if "\ufffd" in word or any("\x80" <= c <= "\x9f" for c in word):
        return 1.0
    core = word.strip(BESIDE)
    letters = "".join(c for c in core if c.isalpha())
    if not letters:
        return float(any(c not in ALONE for c in core))
    if any(not c.isalpha() and c not in WITHIN for c in core):
        return 1.0
    scripts = set(map(_script, letters))
    if len(scripts) > 1 or not (letters.islower() or letters.isupper() or letters == letters.capitalize()):
        return 1.0
    (script,) = scripts
    if script == "LATIN":
        accented = sum(not c.isascii() for c in letters) / len(letters)
        return 0.8 if len(letters) > 1 and accented > 0.75 else 0.0
    if script not in FREQUENT or "ς" in letters[:-1]:
        return 1.0
    rare = sum(c not in FREQUENT[script] for c in letters.lower()) / len(letters)
    return 0.5 * rare * rare + (0.05 if letters.isupper() and len(letters) > 1 else 0.0)


@lru_cache(1024)
def _script(letter: str) -> str:
    """LATIN, CYRILLIC, GREEK, …"""
    return unicodedata.name(letter, "").partition(" ")[0]
