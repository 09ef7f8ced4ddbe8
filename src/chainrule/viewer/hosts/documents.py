"""The documents that carry the front end: the local page, and files that need nothing but themselves."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from chainrule.errors import SettingError
from chainrule.network.files.storage import as_path
from chainrule.network.files.writing import place_for

MODULE = Path(__file__).parents[1] / "static" / "view.js"
"""The front end: one ES module, built from the folder `frontend` of the sources."""

ENDINGS = (".html", ".htm")
"""Of a saved file's name."""

_DOCUMENT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">{policy}
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>body {{ margin: 0 }}</style>
</head>
<body>
<noscript>This page shows what it holds by JavaScript, which is switched off.</noscript>
<main data-chainrule="{host}">{content}</main>
{script}
</body>
</html>
"""


def place_of_file(given: Any) -> Path:
    """The path that a saved file is to have; whether it can be written there is asked before it is made.

    Raises
    ------
    SettingError
        When it is no path, or that of a file of another kind, such as the model.
    OSError
        When there is no such folder, or the file may not be written to.
    """
    path = as_path(given)
    if path.suffix.lower() not in ENDINGS:
        raise SettingError(f"a view cannot be saved as {path.name!r}; the name must end in {' or '.join(ENDINGS)}.")
    place_for(path)
    return path


@cache
def front_end() -> str:
    """The text of the module."""
    return MODULE.read_text(encoding="utf-8")


def local_page(title: str) -> str:
    """The page that a local server gives."""
    script = '<script type="module" src="/view.js"></script>'
    return _DOCUMENT.format(policy="", title=escape(title), host="page", content="", script=script)


def saved_file(title: str, recording: str) -> str:
    """A page with a recording in it, which asks nobody for anything: its own policy allows its own script alone."""
    module = (
        front_end().replace("</script", "<\\/script").replace("<!--", "\\x3c!--")
    )  # ends of the element, were they not text
    digest = base64.b64encode(hashlib.sha256(module.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    meta = f'\n<meta http-equiv="Content-Security-Policy" content="{policy}">'
    content = f'<script type="application/json">{recording}</script>'
    script = f'<script type="module">{module}</script>'
    return _DOCUMENT.format(policy=meta, title=escape(title), host="file", content=content, script=script)
