"""Practices: what is required of each side, how strongly, and the results of a project."""
