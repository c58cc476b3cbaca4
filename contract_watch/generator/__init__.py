"""Generate client packages from effective documents."""
