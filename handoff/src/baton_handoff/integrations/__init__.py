"""What other programs need of a project: Feast, Spark, container engines, MkDocs, git providers."""
