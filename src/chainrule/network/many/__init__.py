"""Many networks trained in one call, and what they say together."""
