"""The pieces of a view, each with the parts it shows and the commands it understands."""
