"""Adopting the standards in a repository that was not made with Baton."""
