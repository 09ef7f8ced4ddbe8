"""A training every moment of which can be had again, and gone on from in other ways."""
