"""All public names about networks, in one place that is loaded when the first of them is used.

Layers, initialisers, losses, optimizers and schedules are here because they are declared.
"""

from typing import TYPE_CHECKING, Any

from chainrule import datasets as datasets
from chainrule import declarations
from chainrule.forks import load as _load
from chainrule.network import FittedNetworks as FittedNetworks
from chainrule.network import Hypergradient as Hypergradient
from chainrule.network import Network as Network
from chainrule.network import Tuned as Tuned
from chainrule.network import fit_many as fit_many
from chainrule.network import hypergradient as hypergradient
from chainrule.network import resume as resume
from chainrule.network import tune as tune
from chainrule.nn import Layer as Layer
from chainrule.nn import ParameterSpec as ParameterSpec
from chainrule.nn import Perceptron as Perceptron
from chainrule.training import PIECES
from chainrule.training import ArrayDataset as ArrayDataset
from chainrule.training import BatchDataset as BatchDataset
from chainrule.training import Dataset as Dataset
from chainrule.training import EarlyStopping as EarlyStopping
from chainrule.training import EpochEnd as EpochEnd
from chainrule.training import History as History
from chainrule.training import Loss as Loss
from chainrule.training import Optimizer as Optimizer
from chainrule.training import Recording as Recording
from chainrule.training import Run as Run
from chainrule.training import Schedule as Schedule

if TYPE_CHECKING:
    from chainrule.explanation.comparison import compare as compare
    from chainrule.explanation.derivations.differentiation import derivation as derivation
    from chainrule.explanation.diagnosis.lines import find_nan as find_nan
    from chainrule.explanation.explain import explain as explain
    from chainrule.explanation.orders import evaluation_order as evaluation_order
    from chainrule.explanation.tree import tree as tree
    from chainrule.explanation.values import Value as Value
    from chainrule.explanation.values import values as values
    from chainrule.nn.embeddings import *
    from chainrule.nn.ensembles import *
    from chainrule.nn.initializers import *
    from chainrule.nn.layers import *
    from chainrule.nn.normalising import *
    from chainrule.nn.standardising import *
    from chainrule.tabular import Recipe as Recipe
    from chainrule.tabular import TableDataset as TableDataset
    from chainrule.tabular import TableModel as TableModel
    from chainrule.tabular import load as load
    from chainrule.training.between_epochs.loggers import CSVLogger as CSVLogger
    from chainrule.training.between_epochs.loggers import MLflowLogger as MLflowLogger
    from chainrule.training.between_epochs.loggers import TensorBoardLogger as TensorBoardLogger
    from chainrule.training.losses import *
    from chainrule.training.optimizers import *
    from chainrule.training.schedules import *
    from chainrule.viewer import View as View
    from chainrule.viewer import view as view

globals().update(PIECES)

LATER = {
    **dict.fromkeys(("Value", "values"), "explanation.values"),
    "derivation": "explanation.derivations.differentiation",
    "evaluation_order": "explanation.orders",
    "explain": "explanation.explain",
    "tree": "explanation.tree",
    "compare": "explanation.comparison",
    "find_nan": "explanation.diagnosis.lines",
    **dict.fromkeys(("Recipe", "TableDataset", "TableModel", "load"), "tabular"),
    **dict.fromkeys(("CSVLogger", "MLflowLogger", "TensorBoardLogger"), "training.between_epochs.loggers"),
    **dict.fromkeys(("View", "view"), "viewer"),
}
"""Names that training needs none of, and the packages they are loaded from with the first of them."""


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return sorted([*declarations.public(globals()), "datasets", *LATER])
    if name in LATER:
        return getattr(_load(f"chainrule.{LATER[name]}"), name)
    raise AttributeError(f"module 'chainrule.learning' has no attribute {name!r}")
