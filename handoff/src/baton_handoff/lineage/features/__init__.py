"""The feature catalogue: each feature, the columns it comes from, the places that use it."""
