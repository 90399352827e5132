"""Drift: rows that were answered are compared with those that the version was published with."""
