"""Logs of all parts of a stack: read, chosen, put in order and shown. Called by `flotilla logs`."""
