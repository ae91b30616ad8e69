"""The model at work: over HTTP (`app`) and over files (`batch`)."""
