"""Changing which versions answer: routes, what commands make of them, and how that is rolled out."""
