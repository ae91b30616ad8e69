"""What other programs need of a project: Feast, Spark, containers, MkDocs, pytest, git hosts."""
