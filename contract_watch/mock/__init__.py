"""Plays the vendors: any contract's model over HTTP, with state, scripted faults and a journal."""
