"""Shapes: how a vendor's responses look beyond its document, and how one night departs from the nights before.

`observation` records the shapes of a run's responses, `value_tokens` decides which values may be recorded at all,
`baseline` reads and writes ``contracts/<slug>/shapes.json``, `accumulation` makes one of the nights of the history,
`cusum` is the sequential test for a field that became rarer, and `departures` compares a night with its baseline.
"""
