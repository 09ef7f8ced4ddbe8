"""The face of the library: a network to fit, ask, look into, save and load."""

from chainrule.network.hypergradients import Hypergradient, hypergradient
from chainrule.network.loading import load
from chainrule.network.network import Network
from chainrule.network.resuming import resume
from chainrule.network.tuning import Tuned, tune

__all__ = ["Hypergradient", "Network", "Tuned", "hypergradient", "load", "resume", "tune"]
