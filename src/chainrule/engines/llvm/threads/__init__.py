"""Threads that share a Program, or take many from a list, and how many there are."""
