"""What a replica counts: plain numbers on the way of a request, shown when Prometheus asks."""
