"""What needs nothing of a project: errors, git, files, TOML and YAML, tracing."""
