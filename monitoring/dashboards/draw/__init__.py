"""Draws dashboards as Grafana would show them, for those who have none at hand: pictures for reviews.

`python -m monitoring.dashboards.draw --prometheus http://127.0.0.1:9090 --minutes 5 --out pictures`
"""
