"""Where data and features come from."""
