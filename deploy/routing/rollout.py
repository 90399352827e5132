"""Changing a route while it is in use: a draft comes in, and once every replica is ready, it holds.

The order of things: lock → draft → check what is new in it → let every replica load that → one rename →
look from outside. Whatever fails, the route is as it was.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from deploy.errors import Refused
from deploy.routing.changes import Current, Draft
from deploy.routing.compatible import differences
from deploy.routing.generations import current_route, withdraw, write_route
from deploy.routing.outside import Seen, answers, example_body, look
from deploy.routing.readiness import Readiness
from deploy.routing.routes import check, finished, locked
from deploy.routing.trial import try_version
from service.manifest import BrokenVersion, read_manifest
from service.versions.route import CURRENT, Route

Say = Callable[[str], None]
Make = Callable[[Current], Draft]


@dataclass(frozen=True)
class Place:
    """Where a stack's registry is, where its replicas report, and where clients find it."""

    registry: Path
    reports: Path
    url: str


@dataclass(frozen=True)
class Terms:
    """How careful a change is: time for replicas to get ready, and what may be left out."""

    deadline_seconds: float = 120.0
    new_signature: bool = False
    wait: bool = True  # for replicas, and look from outside
    tried: bool = False  # the version was opened a moment ago, in this process


class Change(NamedTuple):
    """A route that was made."""

    number: int
    route: Route
    before: Route | None
    seconds: float


def change_route(
    place: Place, model: str, make: Make, command: str, reason: str, say: Say, terms: Terms = Terms()
) -> Change:
    """Make the route that `make` drafts from the one in force; else raise `Refused` and leave it."""
    started = time.monotonic()

    def waiting() -> None:
        say(f"another command is changing the route of {model}; waiting for it")

    with locked(place.registry, model, waiting) as shelf:
        current = current_route(shelf)
        draft = make(current)
        before = current[1] if current else None
        readiness = Readiness(place.reports, shelf, model, say)
        if terms.wait and not readiness.replicas and answers(place.url):
            raise Refused(
                f"replicas answer at {place.url}, but none reports in {place.reports}: REPORTS_DIR "
                "says where they do, --no-wait changes the route without them"
            )
        fresh = sorted(draft.versions - _trusted(before, draft, readiness), key=int)
        digests = known_digests(before)
        for version in sorted(draft.versions - digests.keys() | set(fresh), key=int):
            digests[version] = check(place.registry, model, version).digest[:16]
        if not terms.new_signature:
            _check_signatures(place.registry, model, before, draft.versions)
        for version in fresh:
            if not terms.tried:
                say(f"opening version {version} on trial")
                try_version(place.registry / model / version, terms.deadline_seconds)
        if terms.wait:
            steady = before.kept if before else set()
            # From here on: waiting for another command, or a trial, is no replica's fault.
            until = time.monotonic() + terms.deadline_seconds
            readiness.wait_for(draft.versions, until, steady)
        # Also where it can't be read any more.
        link = (shelf / CURRENT).readlink().name if (shelf / CURRENT).is_symlink() else ""
        route = finished(draft, digests, command, reason)
        number = write_route(shelf, route)
        if terms.wait and readiness.replicas:
            problem = "the look from outside was interrupted"
            try:
                problem = _problem_from_outside(place, model, route)
            finally:
                if problem:
                    withdraw(shelf, number, link, problem)
            if problem:
                raise Refused(f"{problem}; the route is as it was before")
    return Change(number, route, before, time.monotonic() - started)


def known_digests(before: Route | None) -> dict[str, str]:
    """Return the digests of versions that were checked once; they may be damaged on disk by now."""
    if before is None:
        return {}
    past = {each.version: each.digest for each in before.fallbacks if each.digest}
    return {**past, **before.digests}


def _trusted(before: Route | None, draft: Draft, readiness: Readiness) -> set[str]:
    """Return the versions that need no trial: they answer now, or every replica holds them already."""
    answering = before.answering if before else set()
    return answering | {each for each in draft.versions if readiness.everywhere(each)}


def _check_signatures(registry: Path, model: str, before: Route | None, named: set[str]) -> None:
    """Refuse a version for which requests of today's clients would be wrong."""
    if before is None:
        return
    try:
        live = read_manifest(registry / model / before.primary).signature
    except BrokenVersion:
        return  # nothing to compare with: its folder was damaged or deleted
    for version in sorted(named - before.answering, key=int):
        try:
            new = read_manifest(registry / model / version).signature
        except BrokenVersion:
            continue  # held in memory, or it would have been refused before
        if found := differences(live, new):
            raise Refused(
                f"{model} version {version} has another signature than version {before.primary}, "
                f"its clients' requests would fail: {'; '.join(found)}. "
                "If that is meant: --new-signature"
            )


def _look(place: Place, model: str, version: str, headers: Mapping[str, str]) -> Seen | None:
    """Ask with a row for `version`; None where that has none on disk any more."""
    body = example_body(place.registry, model, version)
    return None if body is None else look(place.url, model, body, headers)


def _problem_from_outside(place: Place, model: str, route: Route) -> str:
    """Ask through the door, once for each pinned key and once without; return what is wrong."""
    asks: list[tuple[Mapping[str, str], set[str]]] = [({}, set(route.weights))]
    if route.pins:
        asks[0] = ({"X-Client-ID": "flotilla/check"}, set(route.weights))  # no key that could be pinned
        asks += [({"X-Client-ID": key}, {version}) for key, version in route.pins.items()]
    for headers, expected in asks:
        asked = route.primary if route.primary in expected else min(expected)
        seen = _look(place, model, asked, headers)
        if seen and seen.status >= 400 and seen.version in expected - {asked}:
            seen = _look(place, model, seen.version, headers)  # its rows may be others
        if seen is None:
            continue
        if seen.status == 0:
            return f"nginx doesn't answer at {place.url} ({seen.words}); FLOTILLA_URL says where it is"
        if seen.status != 200:
            return f"seen from outside the new route fails with {seen.status}: {seen.words}"
        if seen.version not in expected:
            return (
                f"seen from outside version {seen.version} answers instead of "
                f"{' or '.join(sorted(expected, key=int))}: is {place.url} of this registry?"
            )
    return ""
