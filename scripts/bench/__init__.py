"""Benchmarks of the suite and the mock, side by side with Schemathesis, Prism and a bare server.

`sections` measures every part of the page, `page` adds the machine and the versions. Detection: `contenders` defines the
compared commands, `mutant_server` plays mutants and counts requests, `detection` runs every contender on every mutant,
`detection_page` writes the comparison. Speed: `suite_runs`, `servers`, `load` and `sample_requests` measure runs and load,
`speed` and `table` build the rows. `process` starts and stops every child process.
"""
