"""A canary: growing shares, and the verdict on them from Prometheus' figures."""
