"""Judge responses by the contract and describe what disagrees."""
