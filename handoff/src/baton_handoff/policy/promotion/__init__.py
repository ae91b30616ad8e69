"""Promotion: a version is validated, judged by the gates, and becomes champion."""

# Configures MLflow before a module here imports it.
import baton_handoff.registry  # noqa: F401
