"""From the rows of a table to its networks, in the time there is."""
