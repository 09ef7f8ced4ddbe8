"""What a network answers for rows, how good that is and how far it can be trusted."""
