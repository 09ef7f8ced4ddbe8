"""Networks for tables: from named columns to predictions, scores, importance and a report."""

from chainrule.tabular.dataset import TableDataset
from chainrule.tabular.learning.recipe import Recipe
from chainrule.tabular.loading import load
from chainrule.tabular.model import TableModel
from chainrule.tabular.scoring.scores import Scores

__all__ = ["Recipe", "Scores", "TableDataset", "TableModel", "load"]
