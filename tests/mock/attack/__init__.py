"""Attacks on the mock: raw bytes, slow and vanishing clients, many at once."""
