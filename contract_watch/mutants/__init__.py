"""Measure the suite: deliberate drifts that it must find (mutants), and permitted changes that it must not report.

Mutants are derived from a contract alone. Each is a thin layer around the mock (`mutated_vendor`):

========================================  =========================================================================
module                                    drifts
========================================  =========================================================================
`response_mutants`                        statuses, bodies and media types: the response is edited before it is sent
`header_mutants`                          documented headers missing, renamed, of another type, or past a bound
`request_mutants`, `coercions`,           constraints a step tighter or looser, enums, required properties, names,
`regex_edits`                             coerced types, crashes on boundaries
`credential_mutants`                      credentials not needed, any value accepted, another account's objects
`effect_mutants`                          effects of a success lost, late, repeated, doubled, on the wrong object
`rule_mutants`                            rules of prose disabled, conflicts ignored, names never freed
`method_mutants`                          operations removed, undeclared methods that succeed
========================================  =========================================================================

`mutant` defines both terms: a `Mutant` names a drift, its `Mutation` plays it. `derivation` collects and selects them,
`mutant_runner` runs probes and client against one until the first finding, `score` counts, `score_report` formats.

A rule is disabled by exempting a request from its clause (`Request.exempt_clauses`): the model itself then says how a
vendor without the rule would respond. ``contracts/<slug>/mutants.toml`` holds the floors of the score and the mutants
that are equivalent, each with a reason. Answer a survivor with a better probe or rule that the contract implies, never
with a special case.

`false_positives` plays changes that the documents permit. Pairs of interpretations are rows of a pairwise covering
array, so every pair of values is in some whole run.

Both commands distribute their work with `contract_watch.engine.running.parallel`: a module of parametrized pytest items
(`every_mutant`, `every_change`), each of which reports one result.
"""
