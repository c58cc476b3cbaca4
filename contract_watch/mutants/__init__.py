"""How good the suite is: deliberate drifts that it must notice, and changes that it must not."""
