"""Data larger than memory: rows that are read window by window while a training goes on."""

from chainrule.training.stored.arrays import (
    Store,
    StoredArray,
    checked_pieces,
    first_of,
    layout_for,
    passed_over,
    store_of,
)
from chainrule.training.stored.dataset import ArrayDataset, BatchDataset, Dataset, Piece
from chainrule.training.stored.evaluation import StoredEvaluator, evaluator_of
from chainrule.training.stored.layout import Layout, Orders
from chainrule.training.stored.share import Share
from chainrule.training.stored.windows import WindowedRunner

__all__ = [
    "ArrayDataset",
    "BatchDataset",
    "Dataset",
    "Layout",
    "Orders",
    "Piece",
    "Share",
    "Store",
    "StoredArray",
    "StoredEvaluator",
    "WindowedRunner",
    "checked_pieces",
    "evaluator_of",
    "first_of",
    "layout_for",
    "passed_over",
    "store_of",
]
