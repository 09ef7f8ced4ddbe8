"""The engine `llvm`: a Program, with the loop over epochs and batches around it, as machine code."""
