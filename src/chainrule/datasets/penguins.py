"""A table with all that makes tables hard: text, dates, names of rows, constants, and values that are missing."""

from __future__ import annotations

from pathlib import Path


def penguins_path() -> Path:
    """The file of 344 penguins of three species, as CSV: sizes, sex, nest, egg, isotopes, comments.

    Collected by K. B. Gorman and the Palmer Station LTER (2014, https://doi.org/10.1371/journal.pone.0090081), published as
    `palmerpenguins` (Horst, Hill, Gorman 2020), in the public domain (CC0) and shipped with the package. On the command line
    it is `penguins`: `chainrule train penguins --target species`.

    Examples
    --------
    >>> from chainrule.datasets import penguins_path
    >>> with penguins_path().open() as lines:
    ...     print(next(lines)[:42])
    species,island,bill_length_mm,bill_depth_m
    """
    return Path(__file__).with_name("penguins.csv")
