"""The modules that every generated client shares; `contract_watch.generator.outputs` copies them into each package.

They import nothing of this project, and httpx in `_http` alone. `_about` stands for the module with a vendor's facts,
which `templates/_about.py.jinja` replaces.
"""
