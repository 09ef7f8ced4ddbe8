"""LLVM, the CPU it writes for, and machine code that is kept."""
