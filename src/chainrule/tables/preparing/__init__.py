"""What is learned of a table's columns, and how any later table becomes a network's inputs by it."""
