"""Distributions, a client's or the package's own: built twice, compared, and verified in empty environments."""
