"""Where a project stands: practices judged by checks, by its base, and at a promotion."""
