"""The evaluation of a model on held-out rows: scores, importance, plots."""
