"""Protect a real account: the guard, the gate and all that they need, below every test and every library.

Each request of a live run takes one path. Nothing in the process has another way out::

    tests, Hypothesis, Schemathesis, the generated client
      Session      judges the response and reports it to the gate
        Protocol   REST, gRPC-web or gRPC
          Wire     one address
            Gate   guard -> limits -> ledger -> rate limiter -> network

=====================  ===============================================================================================
module                 job
=====================  ===============================================================================================
`guard`                decides from the bytes about to leave, whatever the caller meant to send
`gate`                 orders the checks around one request, and records its response in the ledger
`ledger`               stores every object before it is requested; recognises killed runs by their free lock files
`rate_limiter`         admits requests of all processes of one machine that share an account
`redis_rate_limiter`   does the same for several machines; both follow the rules of `sliding_window`
`network_sandbox`      blocks connections outside the gate, and subprocesses
`object_names`         generates a run's names and parses them, with a check character against lookalikes
`inventory`            lists all objects of an account
`sweep`                deletes the leftovers of killed runs
`restoration`          restores what consented operations changed, and finds a run's own leftovers
`precheck`             asks the guard about planned probes, so that blocked ones are reported instead of sent
`live_settings`        reads permissions and limits from the environment
`retry_after`          parses the wait that a 429 asks for
`clock`                reads and passes time, replaceable in tests
`account_session`      is the part of a session that this package needs
=====================  ===============================================================================================

Three rules hold throughout:

- A failure admits nothing. A damaged ledger, an unreachable Redis or a list that cannot be read ends the run; none of
  them lets a request through.
- Cleanup deletes only objects that the run requested, never objects that merely look like it. Only a sweep also goes
  by names, under the conditions in `sweep`.
- A blocked request is a defect of the suite, never the vendor's drift: the run is inconclusive.

`docs/real-accounts.md` describes the protection for users, and the risks that remain.
"""
