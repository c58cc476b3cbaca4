"""The memory of nights: every run of a vendor, in one SQLite file.

`entry` turns a run of ``findings.json`` into a row, `store` keeps the rows, `salvage` reads the rest of a damaged file,
`timeline` derives from the rows since when each cause is there, `remember` does all of it for the runs of a command,
and `merge` joins the files of several machines.
"""
