"""Load from outside: the stack tests' client, the Locust scenarios, and the benchmark."""
