"""One replica: requests come in at asgi.py, predict.py decides, an engine answers."""

__version__ = "0.1.0"  # of the whole kit; pyproject.toml reads it from here
