"""One replica: requests come in at asgi.py, predict.py decides, an engine answers."""
