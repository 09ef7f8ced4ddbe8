"""What is told of a table's model, on a page and in notebooks."""
