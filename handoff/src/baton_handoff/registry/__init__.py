"""The model behind its contracts: wrapped, registered with its lineage, promoted, brought back."""

import os

# Before MLflow is imported: it would report its use to its makers, and draw bars into logs.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
# Half a minute is enough for a server to start again; MLflow would try for four.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "4")
