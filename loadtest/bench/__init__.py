"""Flotilla's rate beside nginx's own and a hand-written FastAPI server's, in one run."""
