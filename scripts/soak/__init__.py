"""`make soak`: many calls of the generated clients against a server that fails in every way."""
