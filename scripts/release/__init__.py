"""A client's distributions: built twice, compared, and verified in empty environments."""
