"""What a project states of itself: handoff.toml, settings, sides, exceptions, baseline."""
