"""How replicas add up: what a study measured comes in, a law with its uncertainty goes out."""
