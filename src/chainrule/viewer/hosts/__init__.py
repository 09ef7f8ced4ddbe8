"""Hosts: how a view reaches whoever looks at it."""
