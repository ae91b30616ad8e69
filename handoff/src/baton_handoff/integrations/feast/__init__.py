"""The feature store: the features of the pipeline, served by Feast."""
