"""A study: what was measured as replicas were added, on what, and what became of it."""
