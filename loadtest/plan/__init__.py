"""Capacity: a rate and a latency that are wanted come in, replicas, CPUs and memory go out."""
