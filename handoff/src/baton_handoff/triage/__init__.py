"""Triage: find out by experiment which side has to act on a failed contract check."""
