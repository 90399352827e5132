"""Flotilla's rates beside nginx's own, a hand-written FastAPI server's and the engine's, in one run."""
