"""Data sources: their files, the places in code that read them, and their checks."""
