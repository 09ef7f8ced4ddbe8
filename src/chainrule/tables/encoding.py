"""What a text file holds, as UTF-8 bytes, however it is compressed and encoded."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zlib

from chainrule.tables.options import TableError

_LOOKED_AT = 1 << 16

_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "Zstandard"}
"""Kinds of compressed files by their first bytes."""


def utf8(data: bytes, source: str) -> tuple[bytes, list[str]]:
    """The text of a file as UTF-8, each line ended by one line feed or carriage return and line feed, and notes.

    gzip, bzip2, xz and Zstandard files are unpacked; a byte order mark is left out; UTF-16 and Windows-1252 are decoded.

    Examples
    --------
    >>> utf8("a;b".encode("utf-16"), "data.csv")
    (b'a;b', [])
    """
    data = unpacked(data, source)
    if data[:4] == b"PK\x03\x04":
        raise TableError(f"{source} is a spreadsheet or ZIP file, not CSV text; save the sheet as CSV first.")
    notes: list[str] = []
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", errors="replace").encode()
    if b"\0" in data[:_LOOKED_AT]:
        raise TableError(f"{source} is not text; a CSV file is expected (spreadsheets and databases can write one).")
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            data = data.decode("cp1252", errors="replace").encode()
            notes.append("the file is not UTF-8; read as Windows-1252 text")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in data and data.count(b"\r") != data.count(b"\r\n"):
        data = re.sub(rb"\r\n?", b"\n", data)
    return data, notes


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
