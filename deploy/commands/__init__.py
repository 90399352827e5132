"""The commands of `flotilla`: words come in, one of the other modules does the work."""
