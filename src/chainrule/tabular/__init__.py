"""Networks for tables: from named columns to predictions, scores, importance and a report."""
