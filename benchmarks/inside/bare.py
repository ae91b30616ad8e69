"""Serve the bare estimator: precomputed features, no validation and no log."""

import sys
from typing import Any

import joblib
import pandas as pd
import uvicorn
from fastapi import FastAPI

app = FastAPI()
estimator = joblib.load("models/model.joblib").estimator


@app.post("/predict")
def predict(rows: list[dict[str, Any]]) -> list[float]:
    """Return the probability of a delay of each flight."""
    chances: list[float] = estimator.predict_proba(pd.DataFrame(rows))[:, 1].tolist()
    return chances


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
