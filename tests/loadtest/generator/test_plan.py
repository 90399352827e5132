"""Plans that can't be carried out are refused before anything is started."""

from typing import Any

import pytest

from deploy.errors import Refused
from loadtest.generator import Plan, generate


def plan(**more: Any) -> Plan:
    """Return a plan, an open loop unless told otherwise."""
    given = {"address": "127.0.0.1:1", "host": "h", "payloads": "", "loop": "open", "rate": 100.0}
    return Plan(**{**given, "connections": 2, "seconds": 1.5, **more})


def test_a_plan_that_can_be_carried_out() -> None:
    """It says how many requests are due: of a closed loop nobody knows."""
    plan().check()
    assert plan().due == 150
    closed = plan(loop="closed", rate=None)
    closed.check()
    assert closed.due is None


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"address": "localhost"}, "expected HOST:PORT"),
        ({"address": "localhost:http"}, "expected HOST:PORT"),
        ({"rate": None}, "an open loop needs a rate"),
        ({"rate": 0.0}, "an open loop needs a rate"),
        ({"rate": float("inf")}, "an open loop needs a rate"),
        ({"seconds": float("nan")}, "more than 0"),
        ({"loop": "closed"}, "a closed loop has no rate"),
        ({"seconds": 0.0}, "more than 0"),
        ({"timeout_seconds": -1.0}, "more than 0"),
        ({"connections": 0}, "0 connections for 1 processes"),
        ({"processes": 3}, "2 connections for 3 processes"),
        ({"processes": 0}, "2 connections for 0 processes"),
        ({"connections": 1001}, "one process has 1000 at most"),
        ({"connections": 3000, "processes": 2}, "more need more processes"),
        ({"first_number": 10**9}, "first number 1000000000"),
        ({"first_number": -1}, "first number -1"),
    ],
)
def test_is_refused(more: dict, reason: str) -> None:
    """The sentence names what would have to be otherwise."""
    with pytest.raises(Refused, match=reason):
        generate(plan(**more))
