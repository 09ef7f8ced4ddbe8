"""The language that groups are written in: loops, places, sums and moves."""
