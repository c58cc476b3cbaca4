"""What a disagreement between target and contract is, and how it is told."""
