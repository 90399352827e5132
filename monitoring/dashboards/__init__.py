"""Dashboards: typed Python here; monitoring/grafana/dashboards has the JSON, for Grafana to read."""
