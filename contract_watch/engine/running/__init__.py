"""Run a contract against a target: preflight, probes, client, clean-up."""
