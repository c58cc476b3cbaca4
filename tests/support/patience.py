"""The time after which a test gives up on something that should have happened."""

PATIENCE = 240.0
"""Seconds that no busy machine needs, and less than pytest's own limit for a test that hangs.

It measures no speed: a test of a deadline shortens the deadline, and a test of speed counts steps or processor time.
"""
