"""Why predictions for a table are what they are: by column for all rows, and for one."""
