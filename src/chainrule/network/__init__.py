"""The face of the library: a network to fit, ask, look into, save and load."""

from chainrule.network.network import Network
from chainrule.network.storage import load

__all__ = ["Network", "load"]
