"""Programs as graphs of ONNX, which other runtimes carry out."""

from chainrule.onnx.graph import Graph
from chainrule.onnx.lengths import Rows
from chainrule.onnx.values import Value, given, known
from chainrule.onnx.writing import written

__all__ = ["Graph", "Rows", "Value", "given", "known", "written"]
