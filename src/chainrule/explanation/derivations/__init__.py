"""Why a gradient is what it is, line by line, in symbols and in numbers."""
