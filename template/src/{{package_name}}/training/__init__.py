"""The pipeline: ingest, validate, features, train, evaluate (see dvc.yaml), then register.

Each stage is a module with a `main`, reads its parameters from params.yaml and exchanges only
files with the others.
"""
