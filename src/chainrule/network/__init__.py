"""The face of the library: a network to fit, ask, look into, save and load."""

from chainrule.network.fitted_networks import FittedNetworks
from chainrule.network.hypergradients import Hypergradient, hypergradient
from chainrule.network.loading import load
from chainrule.network.many import fit_many
from chainrule.network.network import Network
from chainrule.network.resuming import resume
from chainrule.network.tuning import Tuned, tune

__all__ = ["FittedNetworks", "Hypergradient", "Network", "Tuned", "fit_many", "hypergradient", "load", "resume", "tune"]
