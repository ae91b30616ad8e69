"""The workstation of each role: what it needs, and what a machine lacks of it."""
