"""What holds a table, wherever it is: files, frames, records, streams."""
