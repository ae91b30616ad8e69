"""The model behind its contracts: wrapped, described by its lineage, kept in the registry."""
