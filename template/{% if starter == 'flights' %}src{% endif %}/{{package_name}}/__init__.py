"""Does a flight arrive more than 15 minutes late? From raw data to a served model."""
