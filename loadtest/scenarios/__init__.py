"""Scenarios of Locust: what users ask for, how many there are when, and what a good run is."""
