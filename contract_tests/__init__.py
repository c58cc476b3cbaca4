"""The contract suite: what other teams and the nightly run point at a target."""
