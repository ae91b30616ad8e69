"""The feature store: Feast serves the features of the pipeline."""
