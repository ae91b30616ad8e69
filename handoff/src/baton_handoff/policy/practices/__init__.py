"""Practices: what each side must, should and would like to keep, and where a project stands."""
