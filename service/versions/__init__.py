"""Which versions a replica holds: routes on disk come in, loaded versions and reports go out."""
