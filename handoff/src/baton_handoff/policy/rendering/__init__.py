"""The status of a project in every format: functions from an assessment to text or data."""
