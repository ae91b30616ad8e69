"""Promotion: a version is validated, judged by the gates, and becomes champion."""
