"""How well a version still does: answers are remembered, true labels come later, both are compared.

`memory` looks on while versions answer, `judge` takes what clients say afterwards. Kept on disk, in one
SQLite file for all replicas of a host: what was predicted and what was true, never what was asked.
"""
