"""Repeated requests; imported when the first one failed, so that success does not pay for it."""

import random
from collections.abc import Awaitable, Callable

import tenacity

from ._reading import Outcome
from ._repeating import get_wait, may_repeat

_backoff = tenacity.wait_random_exponential(multiplier=0.5, max=8)


def _wait(state: tenacity.RetryCallState) -> float:
    outcome: Outcome = state.outcome.result() if state.outcome is not None else state.args[0]
    asked = get_wait(outcome)
    if asked is None:
        return float(_backoff(state))
    return asked + random.uniform(0, min(1.0, asked / 10))  # clients that were refused together do not return together


def _get_last(state: tenacity.RetryCallState) -> Outcome:
    outcome: Outcome = state.outcome.result() if state.outcome is not None else state.args[0]
    return outcome


def repeat(first: Outcome, attempt: Callable[[int], Outcome], max_retries: int, *, repeatable: bool) -> Outcome:
    """Return the last outcome: ``attempt`` gets the number of the request, and is made as often as it is allowed."""
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda outcome: may_repeat(outcome, repeatable=repeatable)),
        stop=tenacity.stop_after_attempt(max_retries + 1),
        wait=_wait,
        retry_error_callback=_get_last,
    )
    numbers = iter(range(1, max_retries + 2))

    def once() -> Outcome:
        number = next(numbers)
        return first if number == 1 else attempt(number)

    return retrying(once)


async def repeat_async(
    first: Outcome, attempt: Callable[[int], Awaitable[Outcome]], max_retries: int, *, repeatable: bool
) -> Outcome:
    """Return the last outcome, as `repeat`."""
    retrying = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_result(lambda outcome: may_repeat(outcome, repeatable=repeatable)),
        stop=tenacity.stop_after_attempt(max_retries + 1),
        wait=_wait,
        retry_error_callback=_get_last,
    )
    numbers = iter(range(1, max_retries + 2))

    async def once() -> Outcome:
        number = next(numbers)
        return first if number == 1 else await attempt(number)

    outcome: Outcome = await retrying(once)
    return outcome
