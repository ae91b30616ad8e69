"""Evaluation of a model on held-out rows: metrics, importance, plots."""
