"""Requests: whole HTTP with a right length, and no two alike in a study."""

import json
from itertools import islice
from typing import Any

import pytest

from loadtest.generator.plan import Plan
from loadtest.generator.requests import numbers_used, requests
from loadtest.payloads import MARKS
from tests.loadtest.generator.servers import payloads_of


def plan(**more: Any) -> Plan:
    """Return a plan that is never carried out."""
    given = {"processes": 1, "connections": 9, **more}
    return Plan(address="x:1", host="door:8080", payloads="", loop="closed", seconds=1.0, **given)


def test_are_whole() -> None:
    """Line, host, added headers and length are there, and the body is JSON with the number in it."""
    made = requests(payloads_of(), plan(first_number=7, headers={"X-Key": "k"}), 0)
    place, request = next(made)
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/models/m:predict HTTP/1.1\r\nHost: door:8080\r\n")
    assert b"\r\nX-Key: k\r\n" in head
    assert head.endswith(b"\r\nContent-Length: %d" % len(body))
    assert (place, json.loads(body)) == (0, {"instances": [[0.5000000007, 1]]})


def test_never_repeat_over_processes_and_runs() -> None:
    """Three processes, and a run that begins where they ended, have no request in common."""
    whole: list[bytes] = []
    first = 0
    for _ in range(2):
        used = []
        for index, count in enumerate((25, 31, 7)):
            made = requests(payloads_of(), plan(first_number=first, processes=3), index)
            whole += [request for _, request in islice(made, count)]
            used.append(numbers_used(count, 10))
        first += 3 * max(used)
    assert len(set(whole)) == len(whole) == 2 * 63


def test_processes_begin_in_different_places() -> None:
    """Two processes don't ask for the same template at the same time."""
    starts = [next(requests(payloads_of(), plan(processes=2), index))[0] for index in range(2)]
    assert starts == [0, 5]


def test_numbers_end() -> None:
    """The last number is used; what would come after it is an error and no repetition."""
    made = requests(payloads_of(2), plan(first_number=MARKS - 1), 0)
    assert [place for place, _ in islice(made, 2)] == [0, 1]
    with pytest.raises(ValueError, match="used up"):
        next(made)
