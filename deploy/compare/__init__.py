"""How two versions differ on the same rows, without serving either."""
