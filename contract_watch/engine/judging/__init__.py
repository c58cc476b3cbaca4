"""The judgement of responses, and the findings that follow.

`judge` asks the vendor's model which responses are allowed; `response_checks` is the list of checks that every
documented response goes through, one small function each; `guessing` tests generated passwords. A disagreement becomes
a finding (`findings`) with the fewest requests that reproduce it (`reproduction`). `run_secrets` knows the secrets of a
run.
"""
