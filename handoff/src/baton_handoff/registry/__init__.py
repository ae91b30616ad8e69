"""Model versions: registered with their lineage, found, fetched, loaded, moved by alias."""

import os

# Set before MLflow is imported, or it sends usage data and draws progress bars into logs.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
# A server restarts within half a minute; MLflow's own number of retries takes four.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "4")
