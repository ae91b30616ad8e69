"""Triage: who has to act on a red check, found out by experiment."""
