"""Findings, causes for a verdict, waivers, and the reports that people and programs read.

`finding` defines one disagreement, `verdict` derives the word for a run and the exit status of a command, `waivers` reads
and applies accepted findings, `hypothesis` is a change by the vendor that would explain findings, `causes` groups findings by
the hypothesis that explains most of them, and `record` collects all results of one vendor. The reports are built from records alone:
`terminal`, `markdown`, `junit`, and `Record.to_json` for ``findings.json`` (``findings.schema.json`` is its schema).
`summary` and `coverage_table` hold the parts that several reports share. Strings from a server pass through `contract_watch.escaping`
before they reach a report, and `report_files` writes every file by `atomic_file`, so readers never see half a report.
To add a column to the table of a report, edit `coverage_table`.
"""
