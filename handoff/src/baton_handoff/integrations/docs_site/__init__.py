"""The documentation site, built by MkDocs."""
