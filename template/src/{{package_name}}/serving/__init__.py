"""Predictions over HTTP (`app`) and for files (`batch`)."""
