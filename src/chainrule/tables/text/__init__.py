"""Text files as people write them: unpacked, decoded, understood and read."""
