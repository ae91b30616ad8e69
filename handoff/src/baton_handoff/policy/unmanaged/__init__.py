"""Practices in a repository that was not made with Baton."""
