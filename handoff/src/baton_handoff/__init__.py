"""The handoff between data science and ML engineering, executed: contracts, models, service."""
