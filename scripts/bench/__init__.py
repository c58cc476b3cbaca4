"""Compare the suite and the mock with what else there is, side by side."""
