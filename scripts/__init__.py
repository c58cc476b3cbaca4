"""What the Makefile calls: each module a thin main() over functions that tests can call too."""
