"""Watch vendors' HTTP APIs for drift from their contracts."""
