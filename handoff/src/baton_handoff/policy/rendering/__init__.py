"""An assessment in every form that somebody reads: functions of values to text."""
