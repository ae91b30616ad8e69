"""Monitoring a model in production: quality, drift, performance, alerts."""
