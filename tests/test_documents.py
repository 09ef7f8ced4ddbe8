"""What the documents say is true: their code runs and prints what they show, and the paths they name exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(p for folder in ("src", "docs", "benchmarks") for p in (ROOT / folder).rglob("*.md"))]
)


def snippets(document: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)


@pytest.mark.parametrize(
    "code",
    [
        *snippets("README.md"),
        *(
            code
            for page in ("explaining", "training", "from-autograd", "from-scikit-learn")
            for code in snippets(f"docs/{page}.md")
        ),
        *("\n".join(snippets(f"docs/{name}.md")) for name in ("checkpoints", "large-data")),
    ],
)
def test_every_python_snippet_runs_as_it_stands(code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})
    shown = re.search(r"^print\([^\n]*\)  # ([-\d.\[\](), ]+)$", code, re.MULTILINE)
    assert shown is None or shown[1] in capsys.readouterr().out


@pytest.mark.parametrize("document", ["README.md", "docs/explaining.md"])
def test_output_shown_is_what_its_snippet_prints(document, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "88")
    shown = re.findall(r"```python\n((?:(?!```).)*)```\n\n```text\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)
    assert shown
    for code, output in shown:
        exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})
        assert capsys.readouterr().out == output


def test_the_readme_shows_code():
    assert len(snippets("README.md")) >= 3


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_and_modules_named_in_documents_exist(document):
    text = document.read_text()
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    targets = [t for t in re.findall(r"\]\(([^)#]+)\)", prose) if not t.startswith("http")]
    if document.parent.name != "chainrule" and document.parent.parent.name == "chainrule":
        targets += re.findall(r"`(\w+\.py)`", text)
    missing = [target for target in targets if not (document.parent / target).exists()]
    assert missing == []


def test_every_package_has_a_readme_of_about_ten_lines():
    for package in (ROOT / "src" / "chainrule").iterdir():
        if (package / "__init__.py").exists():
            assert 4 <= len((package / "README.md").read_text().splitlines()) <= 16, package
