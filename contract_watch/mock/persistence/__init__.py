"""The state file: vendors' states in SQLite, so that they survive a restart and a killed process.

``schema`` opens and checks the file, ``state_file`` reads and writes states.
"""
