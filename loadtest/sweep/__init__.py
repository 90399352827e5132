"""A sweep: replicas are added, and what they give is measured each time."""
