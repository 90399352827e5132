"""The stack without Docker: nginx, Redis, Prometheus and replicas, kept alive by a supervisor."""
