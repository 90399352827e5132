"""`flotilla top`: the stack at one moment, as Prometheus has it, on a terminal."""
