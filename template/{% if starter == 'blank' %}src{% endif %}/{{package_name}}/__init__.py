"""From the team's own table to a served model: the same rooms as any project, one table so far."""
