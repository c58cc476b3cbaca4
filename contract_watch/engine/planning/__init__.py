"""Plan probes from a contract, before anything is sent."""
