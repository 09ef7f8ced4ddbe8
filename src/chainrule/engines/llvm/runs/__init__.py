"""What is called: a Program by itself, or the loop of a training around it."""
