"""Data sets that come with the package, and the split into training and test rows."""

from chainrule.datasets.handwritten import Digits, digits
from chainrule.datasets.logic import Xor, xor
from chainrule.datasets.penguins import penguins_path
from chainrule.datasets.splitting import Split, split, split_rows

__all__ = ["Digits", "Split", "Xor", "digits", "penguins_path", "split", "split_rows", "xor"]
