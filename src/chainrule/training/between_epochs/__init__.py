"""What happens at the ends of epochs: callbacks, checkpoints, stopping, signals."""
