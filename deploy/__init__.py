"""What brings Flotilla up and publishes into it: the command line, the local stack, the samples."""
