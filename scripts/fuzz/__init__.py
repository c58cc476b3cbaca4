"""Fuzzing of the mock with raw bytes: `make fuzz-mock`."""
