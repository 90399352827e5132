"""Watching the stack: what Prometheus, Grafana and Alertmanager are given, and what makes it."""
