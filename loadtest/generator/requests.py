"""What is sent: payloads and a plan come in, requests as bytes go out, no two alike if unique."""

import itertools
from collections.abc import Iterator

from loadtest.connection import post
from loadtest.generator.plan import Plan
from loadtest.payloads import MARK, MARKS, Payloads, mark


def requests(payloads: Payloads, plan: Plan, index: int) -> Iterator[tuple[int, bytes]]:
    """Yield requests of the plan's process `index`, each with the place of its template.

    The number changes once all templates have been sent. Processes take numbers in turns, and begin
    in different places, so that they don't ask for the same thing at the same time. Raises ValueError
    when the numbers are used up.
    """
    templates = [
        (place, post(plan.host, payloads.path, each.body, plan.headers).split(MARK))
        for place, each in enumerate(payloads.templates)
    ]
    first = index * len(templates) // plan.processes
    in_order = templates[first:] + templates[:first]
    for number in itertools.count(plan.first_number + index, plan.processes):
        if number >= MARKS:
            raise ValueError(f"all {MARKS} numbers that make requests unique are used up")
        digits = mark(number)
        for place, parts in in_order:
            yield place, digits.join(parts)


def numbers_used(sent: int, templates: int) -> int:
    """Return how many numbers one process took for so many requests."""
    return -(-sent // templates)
