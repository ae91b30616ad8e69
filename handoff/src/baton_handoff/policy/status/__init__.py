"""The assessment of a project and of its changes, by checks and by the base policy."""
