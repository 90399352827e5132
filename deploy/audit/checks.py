"""Counts come in, what adds up and what doesn't goes out, each with a reason.

    attempts that were answered = requests that replicas have counted, by version and status code
    rows answered               = hit + joined + miss + bypass + error

Between the first and the last look at the door requests may have come: what replicas say must lie
between the two. Where none came the two are equal, and so must everything else be.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct

from deploy.audit.books import Answer, Book, Door, Version
from deploy.audit.sources import TOGETHER_SECONDS

Verdict = Literal["ok", "explained", "differs"]
Key = TypeVar("Key")

LEFT = "499"  # nginx's status, and a replica's, for a client that has left


class Look(Struct, frozen=True):
    """The door, live replicas twice, those that ended, and the door again, looked at in this order.

    `scraped` is what Prometheus knew before the last of it, requests by job; empty without it.
    """

    before: Door
    first: Sequence[Book]
    live: Sequence[Book]
    ended: Sequence[Book]
    after: Door
    scraped: dict[str, int] = {}

    @property
    def books(self) -> list[Book]:
        """The last of what each replica has counted."""
        return [*self.live, *self.ended]

    @property
    def quiet(self) -> bool:
        """Whether no request came meanwhile."""
        return self.before.requests == self.after.requests


class Finding(Struct, frozen=True):
    """One thing that should add up: from `low` to `high` are expected."""

    what: str
    low: int
    high: int
    found: int
    verdict: Verdict = "ok"
    why: str = ""


def check(look: Look) -> list[Finding]:
    """Return what adds up and what doesn't, the most important first."""
    return [*_requests(look), *_rows(look), *_lines(look), *_scraped(look)]


def _requests(look: Look) -> list[Finding]:
    """Compare what replicas have answered, as nginx saw it, with what they say."""
    before, after = look.before, look.after
    said = _sum(book.requests for book in look.books)
    left = sum(count for answer, count in said.items() if answer.code == LEFT)
    low, high = before.attempts["answered"], after.attempts["answered"] + after.unknown
    findings = [
        _judge(Finding("requests that replicas answered", low, high, said.total() - left), look)
    ]
    if left:
        most = after.unknown + after.attempts["failed"]
        findings.append(_judge(Finding("requests that nginx let go of", 0, most, left), look))
    first, last = _answers(before), _answers(after)
    # Of these nginx saw no reply, or noted that the client had left instead of what it was to get.
    slack = after.unknown + sum(n for answer, n in after.by_replicas.items() if answer.code == LEFT)
    for answer in sorted({*first, *last, *said}):
        if answer.code == LEFT:
            continue
        what = f"of {_plain(answer.version)} with {answer.code}"
        each = Finding(what, first[answer], last[answer] + slack, said[answer])
        if (judged := _judge(each, look)).verdict != "ok":
            findings.append(judged)
    return findings


def _rows(look: Look) -> list[Finding]:
    """Compare, for each version, rows answered with what the cache did for them."""
    begun = [book for book in look.first if _key(book) not in {_key(each) for each in look.ended}]
    first, last = [*begun, *look.ended], look.books
    rows = [_sum(book.rows for book in books) for books in (first, last)]
    cached = [_sum(book.cache_rows for book in books) for books in (first, last)]
    findings = []
    for version in sorted({*rows[1], *cached[1]}):
        # A replica counts while it shows what it has counted. So each sum must fit between the first
        # and the last look at the other; where both looks are equal it must be equal as well.
        low, high = rows[0][version], rows[1][version]
        found = cached[0][version] if cached[0][version] > high else min(cached[1][version], high)
        each = Finding(f"rows of {_plain(version)}, by what the cache did", low, high, found)
        if not low <= found <= high:
            each = _with(each, "differs", "a replica counted rows, and not what the cache did for them")
        findings.append(each)
    return findings


def _lines(look: Look) -> list[Finding]:
    unreadable = look.after.unreadable
    if not unreadable:
        return []
    why = "nginx couldn't write them whole: no space was left, or it was killed"
    return [Finding("lines of nginx's that can't be read", 0, 0, unreadable, "differs", why)]


def _scraped(look: Look) -> list[Finding]:
    """Compare with what Prometheus saw last, which can't be more than there is."""
    there = {
        "door": look.after.requests.total(),
        "service": _sum(book.requests for book in look.books).total(),
    }
    findings = []
    for job, scraped in look.scraped.items():
        each = Finding(f"requests that Prometheus has seen, job {job}", 0, there[job], scraped)
        if scraped > there[job]:
            each = _with(each, "differs", "they may be of a replica that was killed a moment ago")
        findings.append(each)
    return findings


def _judge(finding: Finding, look: Look) -> Finding:
    """Return a finding about requests with its verdict and the reason for it."""
    low, high, found = finding.low, finding.high, finding.found
    if low <= found <= high:
        return finding
    if found > high:
        why = f"{found - high:,} more than nginx handed on: somebody asked a replica directly, or nginx"
        why += " was killed before it noted its last requests"
        if older := [book for book in look.books if _older(book, look.after)]:
            why += f"; or they came before the door began to count, to {_names(older)}"
        return _with(finding, "differs", why)
    missing = f"{low - found:,} fewer than nginx has replies of"
    if silent := [book for book in look.ended if book.state == "silent"]:
        why = f"{missing}: at most so many by {_names(silent)}, killed, so without last words"
        return _with(finding, "explained", why)
    return _with(finding, "differs", f"{missing}: a replica didn't count them, or its file is gone")


def _answers(door: Door) -> Counter[Answer]:
    """Return what replicas have answered to nginx, by version and code."""
    answers = door.by_replicas.copy()
    answers[Answer(Version("", ""), "503")] += door.retried  # it doesn't hold the version
    return answers


def _plain(version: Version) -> str:
    return f"{version.model}/{version.version}" if version.model else "no known version"


def _names(books: Iterable[Book]) -> str:
    return ", ".join(sorted({book.replica for book in books}))


def _key(book: Book) -> tuple[str, float]:
    return book.replica, book.started


def _older(book: Book, door: Door) -> bool:
    return 0 < book.started < door.began - TOGETHER_SECONDS


def _with(finding: Finding, verdict: Verdict, why: str) -> Finding:
    return msgspec.structs.replace(finding, verdict=verdict, why=why)


def _sum(counters: Iterable[Counter[Key]]) -> Counter[Key]:
    total: Counter[Key] = Counter()
    for each in counters:
        total.update(each)
    return total
