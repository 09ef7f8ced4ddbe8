"""All that stops a table from being learned from, told at once, with the one line that would mend it."""

from __future__ import annotations

from dataclasses import dataclass, field

from chainrule.tables.options import TableError


@dataclass
class Problems:
    """Problems found so far, each with the options that would mend it.

    Examples
    --------
    >>> problems = Problems("people.csv")
    >>> problems.add("column 'age' has no value in 3 rows", "‹missing=fill›")
    >>> problems.add("column 'when' holds no numbers", "‹columns=when=time›")
    >>> problems.raise_if_any()
    Traceback (most recent call last):
        ...
    chainrule.tables.options.TableError: people.csv cannot be learned from as it stands:
      1. column 'age' has no value in 3 rows
      2. column 'when' holds no numbers
    All of it is mended by: missing="fill", columns={"when": "time"}
    """

    source: str
    told: list[str] = field(default_factory=list)
    remedies: list[str] = field(default_factory=list)

    def add(self, message: str, remedy: str = "") -> None:
        """One more problem; `remedy` are options, or nothing where only the table itself can be changed."""
        self.told.append(message.removesuffix("."))
        self.remedies.append(remedy)

    def raise_if_any(self) -> None:
        """Raise all problems as one error."""
        if not self.told:
            return
        options = "".join(dict.fromkeys(self.remedies))
        mended = f"All of it is mended by: {options}" if all(self.remedies) else f"What options mend: {options}"
        if len(self.told) == 1:
            raise TableError(f"{self.source}: {self.told[0]}." + (f" Mended by: {options}" if options else ""))
        lines = [f"  {count}. {message}" for count, message in enumerate(self.told, 1)]
        raise TableError(
            f"{self.source} cannot be learned from as it stands:\n"
            + "\n".join(lines)
            + (f"\n{mended}" if options else "")
        )
