"""The pipeline: ingest, validate, features, train, evaluate (see dvc.yaml), then register.

Each stage is a module with a `main`, reads its knobs from params.yaml and meets the others only
through files.
"""
