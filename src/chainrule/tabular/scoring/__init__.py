"""What predictions for a table are worth: metrics, and simpler models beside them."""
