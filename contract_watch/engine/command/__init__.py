"""Run the suite from the command line and under pytest."""
