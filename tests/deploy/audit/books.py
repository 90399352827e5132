"""Counts as the audit reads them, made by hand."""

from collections import Counter

from deploy.audit.books import Answer, Book, Door, Version

DIGITS = Version("digits", "1")
NOBODY = Version("", "")
OK = Answer(DIGITS, "200")
BEGAN = 1e9


def door(
    answers: dict[Answer, int] | None = None,
    *,
    retried: int = 0,
    failed: int = 0,
    silent: int = 0,
    abandoned: int = 0,
    edge: int = 0,
    unreadable: int = 0,
) -> Door:
    """Return a door that handed on these answers of replicas."""
    by_replicas = Counter(answers or {})
    return Door(
        BEGAN,
        Counter(edge=edge, replica=by_replicas.total()),
        Counter(
            answered=by_replicas.total() + retried, failed=failed, silent=silent, abandoned=abandoned
        ),
        by_replicas,
        unreadable,
    )


def book(
    answers: dict[Answer, int] | None = None,
    rows: int = 0,
    cached: int | None = None,
    *,
    name: str = "r-1",
    state: str = "live",
    started: float = BEGAN,
) -> Book:
    """Return what a replica counted: answers, rows of `digits`, and what the cache did for them."""
    return Book(
        name,
        state,
        started,
        0.0 if state == "silent" else started + 9,
        Counter(answers or {}),
        Counter({DIGITS: rows}),
        Counter({DIGITS: rows if cached is None else cached}),
    )
