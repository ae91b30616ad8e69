"""What a project must keep, and whether it does: practices, checks, evidence, gates."""
