"""What adds up and what doesn't: requests between two looks at the door, rows of replicas likewise."""

import pytest

from deploy.audit.books import Answer
from deploy.audit.checks import Look, check
from tests.deploy.audit.books import BEGAN, DIGITS, NOBODY, OK, book, door

BAD, UNREADY, LEFT = Answer(DIGITS, "400"), Answer(NOBODY, "503"), Answer(DIGITS, "499")
DEAD = book(name="r-9", state="silent")


def quiet(the_door: object, *books: object, ended: tuple = (), **more: object) -> Look:
    """Return a look during which nothing happened."""
    return Look(the_door, books, books, ended, the_door, **more)


ADDS_UP = {
    "nothing": quiet(door(), book()),
    "one replica": quiet(door({OK: 5, BAD: 1}), book({OK: 5, BAD: 1}, 9)),
    "two": quiet(door({OK: 5}, edge=70), book({OK: 2}, 3), book({OK: 3}, 4, name="r-2")),
    "one that ended": quiet(door({OK: 5}), book({OK: 2}), ended=(book({OK: 3}, state="ended"),)),
    "one that was asked in vain": quiet(door({OK: 5}, retried=2), book({OK: 5, UNREADY: 2})),
    "none was ready": quiet(door({UNREADY: 1}, retried=1), book({UNREADY: 2})),
    "one that failed": quiet(door({OK: 5}, failed=3), book({OK: 5})),
    "one that failed and let go of it": quiet(door({OK: 5}, failed=1), book({OK: 5, LEFT: 1})),
    "one that was silent for good": quiet(door({OK: 5}, silent=3), book({OK: 5})),
    "one that was silent and went on": quiet(door({OK: 5}, silent=3), book({OK: 7, LEFT: 1})),
    "who left was noticed": quiet(door({OK: 5}, abandoned=1), book({OK: 5, LEFT: 1})),
    "who left had been answered": quiet(door({OK: 5}, abandoned=1), book({OK: 6})),
    "who left during the reply": quiet(door({OK: 5, LEFT: 1}), book({OK: 6})),
    "a silent one without requests": quiet(door({OK: 5}), book({OK: 5}), ended=(DEAD,)),
    "as Prometheus saw it": quiet(
        door({OK: 5}, edge=2), book({OK: 5}), scraped={"door": 7, "service": 4}
    ),
    "traffic": Look(
        door({OK: 5}), [book({OK: 6}, 6, 7)], [book({OK: 8}, 8, 9)], [], door({OK: 10, BAD: 1})
    ),
    "one ended between two looks": Look(
        door({OK: 5}),
        [book({OK: 2}, 2), book({OK: 3}, 3, name="r-2")],
        [book({OK: 2}, 2)],
        [book({OK: 3}, 3, name="r-2", state="ended")],
        door({OK: 5}),
    ),
}


@pytest.mark.parametrize("look", ADDS_UP.values(), ids=ADDS_UP)
def test_adds_up(look: Look) -> None:
    """What nginx and replicas may both say of the same requests is no difference."""
    assert {each.verdict for each in check(look)} == {"ok"}, check(look)


# The look, which findings differ, and a word of the reason.
DIFFERS = {
    "one more": (quiet(door({OK: 5}), book({OK: 6})), ("requests", "of digits/1 with 200"), "directly"),
    "one too few": (quiet(door({OK: 5}), book({OK: 4})), ("requests", "of digits/1 with 200"), "count"),
    "another code": (
        quiet(door({OK: 5}), book({OK: 4, BAD: 1})),
        ("of digits/1 with 200", "of digits/1 with 400"),
        "",
    ),
    "more than those without a reply": (
        quiet(door({OK: 5}, silent=1, failed=9), book({OK: 7})),
        ("requests", "of digits/1 with 200"),
        "1 more",
    ),
    "more let go of than left": (
        quiet(door({OK: 5}, abandoned=1), book({OK: 5, LEFT: 2})),
        ("requests that nginx let go of",),
        "1 more",
    ),
    "a row that wasn't looked up": (quiet(door(), book({}, 5, 4)), ("rows of digits/1",), "rows"),
    "a row too many in the cache": (quiet(door(), book({}, 5, 6)), ("rows of digits/1",), "rows"),
    "rows in spite of traffic": (
        Look(door(), [book({}, 5, 3)], [book({}, 9, 4)], [], door()),
        ("rows of digits/1",),
        "rows",
    ),
    "traffic explains no more than came": (
        Look(door({OK: 5}), [], [book({OK: 12})], [], door({OK: 10})),
        ("requests", "of digits/1 with 200"),
        "2 more",
    ),
    "an older replica": (
        quiet(door({OK: 5}), book({OK: 9}, started=BEGAN - 3600)),
        ("requests", "of digits/1 with 200"),
        "before the door began to count, to r-1",
    ),
    "half a line": (quiet(door(unreadable=2)), ("lines of nginx",), "whole"),
    "more than there is": (
        quiet(door({OK: 5}), book({OK: 5}), scraped={"door": 5, "service": 6}),
        ("requests that Prometheus has seen, job service",),
        "killed",
    ),
    "a dead one explains no surplus": (
        quiet(door({OK: 5}), book({OK: 6}), ended=(DEAD,)),
        ("requests", "of digits/1 with 200"),
        "directly",
    ),
}


@pytest.mark.parametrize("case", DIFFERS.values(), ids=DIFFERS)
def test_differs(case: tuple) -> None:
    """A difference is found in the sums that it touches, in no other, with its reason."""
    look, names, reason = case
    differing = [each for each in check(look) if each.verdict != "ok"]
    assert len(differing) == len(names), differing
    for each, name in zip(differing, names, strict=True):
        assert each.verdict == "differs"
        assert each.what.startswith(name)
        assert reason in each.why


def test_a_killed_replica_explains_what_is_missing() -> None:
    """What is missing where a replica ended without a word is explained by it, and named."""
    look = quiet(door({OK: 5, BAD: 1}), book({OK: 2}), ended=(DEAD,))
    explained = {each.what: each for each in check(look) if each.verdict == "explained"}
    assert explained.keys() == {
        "requests that replicas answered", "of digits/1 with 200", "of digits/1 with 400"
    }  # fmt: skip
    assert "4 fewer" in explained["requests that replicas answered"].why
    assert "r-9, killed" in explained["requests that replicas answered"].why
