"""What keeps a run on a vendor's own servers within its bounds."""
