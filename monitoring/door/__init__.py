"""The door's own counts: the lines that nginx notes of predictions come in, metrics go out."""
