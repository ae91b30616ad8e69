"""The history of a project, judged by the standards: what they would have stopped, for whom."""
