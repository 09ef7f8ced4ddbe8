"""The face of the library: a network to fit, ask, look into, save and load."""

from chainrule.network.hyperparameters.hypergradients import Hypergradient, hypergradient
from chainrule.network.hyperparameters.tuning import Tuned, tune
from chainrule.network.loading import load
from chainrule.network.many.fit_many import fit_many
from chainrule.network.many.fitted_networks import FittedNetworks
from chainrule.network.network import Network
from chainrule.network.resuming import resume

__all__ = ["FittedNetworks", "Hypergradient", "Network", "Tuned", "fit_many", "hypergradient", "load", "resume", "tune"]
