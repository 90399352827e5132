"""What replicas have kept of predictions and true labels, for people: `flotilla feedback`."""
