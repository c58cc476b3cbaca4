"""The run of a contract against a target: preflight, probes, client, clean-up.

A `Session` sends and judges every request. `TargetKnowledge` is the run's knowledge of the target, `Coverage` its
coverage. A `Runner` turns probes into requests; its `Confirmation` retries disagreements before they become
findings, and its `ControlCheck` tells drift from an outage. `generated_client` drives the client that teams
install.
"""
