"""The audit: settings come in, what has been counted and whether it adds up goes out.

nginx notes a request up to a second after it has answered, so it looks again until all adds up.
"""

import time

import msgspec
from msgspec import Struct

from deploy.audit.books import Book, Door
from deploy.audit.checks import Finding, Look, Verdict, check
from deploy.audit.sources import read_door, read_ended, read_live
from deploy.errors import Refused
from deploy.local.settings import LocalSettings
from deploy.local.supervisor import ticks
from deploy.prometheus import Prometheus

# A replica takes 7 s to end and say its last words.
PATIENCE_SECONDS = 10.0
# nginx writes within a second, and its counter reads four times a second.
LAG_SECONDS = 2.0
EVERY_SECONDS = 0.25
# With traffic there is always something between two looks, and no need for more than a few.
MOST_LOOKS = 3
SCRAPED = {"door": "flotilla_door_requests_total", "service": "flotilla_requests_total"}
# Not what it saw of a stack before: it goes on with a series for five minutes where it was down itself.
_SUM = 'sum({name}{{job="{job}"}} and timestamp({name}{{job="{job}"}}) > {since})'


class Audit(Struct, frozen=True):
    """The last look and what came of it. `quiet`: no request came meanwhile, so it was exact."""

    verdict: Verdict
    quiet: bool
    door: Door
    replicas: list[Book]
    findings: list[Finding]


def audit(settings: LocalSettings, seconds: float | None = None) -> Audit:
    """Look until all adds up; return the last look. Raises `Refused` where the door can't be asked."""
    began, looks = time.monotonic(), 0
    patience = PATIENCE_SECONDS if seconds is None else seconds
    while True:
        found, looks = _look(settings), looks + 1
        over = time.monotonic() - began > patience
        if over or (found.verdict == "ok" and (found.quiet or looks == MOST_LOOKS)):
            return found


def _look(settings: LocalSettings) -> Audit:
    """Look once at everything, and at the door until it has caught up with what replicas say."""
    before, first = read_door(settings), read_live(settings)
    scraped = _scraped(settings.prometheus, before.began)
    live = read_live(settings)
    ended = read_ended(settings, live, before.began)
    look = Look(before, first, live, ended, before, scraped)
    for _ in ticks(LAG_SECONDS, EVERY_SECONDS):
        look = msgspec.structs.replace(look, after=read_door(settings))
        findings = check(look)
        if _worst(findings) == "ok":
            break
    return Audit(_worst(findings), look.quiet, look.after, look.books, findings)


def _worst(findings: list[Finding]) -> Verdict:
    verdicts = {each.verdict for each in findings}
    return "differs" if "differs" in verdicts else "explained" if "explained" in verdicts else "ok"


def _scraped(url: str, since: float) -> dict[str, int]:
    """Return what Prometheus has seen since a Unix time, and nothing where it doesn't answer."""
    try:
        found = {
            job: Prometheus(url).vector(_SUM.format(name=name, job=job, since=since))
            for job, name in SCRAPED.items()
        }
    except Refused:
        return {}
    return {job: int(series[0].value) for job, series in found.items() if series}
