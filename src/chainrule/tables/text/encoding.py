"""What a text file holds, as UTF-8 bytes, however it is compressed and encoded."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import re
import zlib
from typing import NamedTuple

from chainrule.tables.composed import composed, told
from chainrule.tables.options import TableError, option
from chainrule.tables.text.code_pages import NAMES, CodePage, code_page, spelled, words_in

_LOOKED_AT = 1 << 16

_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "Zstandard"}
"""Kinds of compressed files by their first bytes."""

_MARKED = {
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"
}  # fmt: skip
"""Encodings by the byte order marks that files begin with, the longer ones first."""

SELDOM = 0.05
"""The least share of zeros in UTF-16 without such a mark: the high bytes of separators, digits and line feeds."""

UTF8 = "utf-8"


class Text(NamedTuple):
    """What a text file holds.

    Attributes
    ----------
    data : bytes
        As UTF-8, each line ended by one line feed or carriage return and line feed.
    notes : list of str
        What was decided, and put right.
    encoding : str, optional
        What its bytes were; None where all are ASCII, so that it does not show.
    """

    data: bytes
    notes: list[str]
    encoding: str | None


def utf8(data: bytes, source: str, encoding: str | None = None, line: int = 1) -> Text:
    """The text of a file as UTF-8.

    gzip, bzip2, xz and Zstandard files are unpacked; a byte order mark is left out; without an encoding UTF-16 and UTF-32 are
    recognised, and what is none of them and no UTF-8 is taken for the code page that its words look most like, with a note. Accents
    that are characters of their own (NFD) become one with their letters (NFC). `line` is the one that data begins at, for messages.

    Examples
    --------
    >>> utf8("a;b".encode("utf-16"), "data.csv").data
    b'a;b'
    >>> utf8("ü".encode("cp850"), "data.csv", "cp850").data.decode()
    'ü'
    """
    data = unpacked(data, source)
    if data[:4] == b"PK\x03\x04":
        raise TableError(f"{source} is a spreadsheet or ZIP file, not CSV text; save the sheet as CSV first.")
    data, notes = data.removeprefix(codecs.BOM_UTF8), list[str]()
    found = encoding or wide(data[:_LOOKED_AT])
    if found is None and b"\0" in data[:_LOOKED_AT]:
        before = data[: data.index(b"\0")].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        place = line + before.count(b"\n")
        raise TableError(
            f"{source} is not text: there is a NUL byte in line {place}; a CSV file is expected (spreadsheets "
            "and databases can write one). If it is one, take that byte out."
        )
    if found is None and not data.isascii():
        guess = None if _is(data, UTF8) else code_page(data)
        found = UTF8 if guess is None else guess.encoding
        if guess is not None:
            notes.append(_guessed(data, guess))
    if found is not None:
        data, remarks = _decoded(data, found, source, line if encoding else None)
        notes += remarks
    if b"\r" in data and data.count(b"\r") != data.count(b"\r\n"):
        data = re.sub(rb"\r\n?", b"\n", data)
    return Text(data, notes, found)


def wide(first: bytes) -> str | None:
    """The encoding of a file that a byte order mark names, or zeros at every fourth or second place; None for all others.

    Examples
    --------
    >>> wide("x,y".encode("utf-16-be")), wide(b"x,y")
    ('utf-16-be', None)
    """
    marked = next((name for mark, name in _MARKED.items() if first.startswith(mark)), None)
    if marked is not None or b"\0" not in first:
        return marked
    characters = len(first) // 4
    a, b, c, d = (first[place : 4 * characters : 4].count(0) for place in range(4))
    if (
        characters in (a, d) and 2 * max(min(a, b), min(c, d)) > characters
    ):  # no character needs the highest byte, few the next
        return "utf-32-le" if c + d > a + b else "utf-32-be"
    even, odd = first[::2].count(0), first[1::2].count(0)
    if max(even, odd) < max(SELDOM * len(first), 10 * min(even, odd)):
        return None
    found, end = ("utf-16-le", 0) if odd > even else ("utf-16-be", 1)
    low, high = first[end::2], first[1 - end :: 2]
    ends = any(character in b"\r\n" and not other for character, other in zip(low, high, strict=False))
    return (
        found if ends or 4 * max(even, odd) >= len(first) else None
    )  # a stray NUL in ASCII is beside no end of a line


def in_blocks(encoding: str | None) -> bool:
    """Whether text may be cut after the byte of a line feed, and quotation marks counted, before it is decoded."""
    return encoding is None or '"\n'.encode(encoding) == b'"\n'


def _is(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _decoded(data: bytes, encoding: str, source: str, line: int | None) -> tuple[bytes, list[str]]:
    """Text in this encoding as composed UTF-8, and notes; what it cannot be is refused where its line is given."""
    try:
        text = data.decode(encoding, "replace" if line is None else "strict")
    except UnicodeDecodeError as error:
        at = (line or 1) + data.count(b"\n", 0, error.start)
        raise TableError(
            f"{source} is not {encoding} text: line {at} holds {data[error.start : error.end].hex(' ')}, which is none there. "
            "Give another encoding, or none, to have it found by looking."
        ) from None
    text = text.removeprefix("\ufeff")
    one = composed(text)  # the text itself where it is so already
    if one is text:
        return (data if encoding == UTF8 else text.encode()), []
    return one.encode(), [told(_other(text, one))]


def _other(text: str, one: str) -> str:
    """The first word that is another one, composed."""
    place = next((i for i, (a, b) in enumerate(zip(text, one, strict=False)) if a != b), len(one) - 1)
    return _word(one, place)


def _word(text: str, place: int) -> str:
    """The word at a place of a text."""
    before, after = re.search(r"\w*\Z", text[max(0, place - 20) : place]), re.match(r"\w+|.", text[place : place + 20])
    return (before[0] if before else "") + (after[0] if after else "")


def _guessed(data: bytes, guess: CodePage) -> str:
    """What is said of text whose encoding was guessed: with a word of it, for whoever sees that it is another."""
    words = _telling(data, guess)
    shown = ", ".join(map(repr, words[guess.encoding]))
    told = f"the file is not UTF-8; read as {NAMES[guess.encoding]} text, with words such as {shown}"
    if guess.sure:
        return f"{told}: if they are spelled wrongly, {option('encoding', guess.others[0])} or whatever it is"
    others = "; ".join(
        f"as {NAMES[name]} it would be {', '.join(map(repr, words[name]))}: {option('encoding', name)}"
        for name in guess.others[:3]
    )
    return f"{told}, but that is not sure: {others}"


def _telling(data: bytes, guess: CodePage) -> dict[str, list[str]]:
    """A word in each encoding: one that they spell differently, and one of letters, if there is one."""
    names = [guess.encoding, *guess.others]
    words = words_in(data)
    differing = [word for word in words if len({tuple(spelled([word], name)) for name in names}) == len(names)]
    chosen = differing or words
    lettered = [word for word in chosen if any(map(str.isalpha, "".join(spelled([word], guess.encoding))))]
    return {name: spelled((lettered or chosen)[:1], name) for name in names}


def unpacked(data: bytes, source: str) -> bytes:
    """What a file holds, however it is compressed."""
    kind = next((kind for first, kind in _COMPRESSED.items() if data.startswith(first)), None)
    try:
        match kind:
            case "gzip":
                return gzip.decompress(data)
            case "bzip2":
                return bz2.decompress(data)
            case "xz":
                return lzma.decompress(data)
            case "Zstandard":
                return _zstandard(data)
    except Exception as error:
        if not isinstance(error, (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError)):
            raise
        raise TableError(f"{source} is a damaged {kind} file ({error}); make it again, or unpack it.") from error
    return data


def _zstandard(data: bytes) -> bytes:
    """Unpacked by Polars, which reads compressed files: here as lines without cells."""
    import polars as pl

    try:
        lines = pl.read_csv(data, has_header=False, separator="\x01", quote_char=None, schema={"line": pl.String})
    except pl.exceptions.PolarsError as error:
        raise ValueError(str(error).partition("\n")[0]) from error
    return "\n".join(lines.get_column("line").fill_null("")).encode()
