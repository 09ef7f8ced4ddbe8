"""Values without a derivative where they are 0, and what of theirs has one."""
