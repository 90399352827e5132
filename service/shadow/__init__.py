"""A version in the shadow of others: asked after the reply, and compared."""
