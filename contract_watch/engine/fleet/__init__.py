"""Spread work over a Dask cluster: ``SCHEDULER=tcp://host:8786``. Dask schedules; nothing here does.

`cluster` connects and waits for parts. `part` is the task that a worker runs: it starts `child`, a process of its own,
in a temporary directory. `module_slice` runs some of the tests of a module there, as `engine.running.parallel` does on
this machine. A part is JSON in and JSON out, holds no secret, and may be run twice: a worker that is lost costs the
repetition of its parts. `checkout` refuses a worker whose code or contracts differ.
"""
