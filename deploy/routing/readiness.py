"""Waiting until every replica holds some versions: reports in, a line for each replica out."""

import time
import uuid
from collections.abc import Callable, Collection
from pathlib import Path

import msgspec

from deploy.errors import Refused
from service.versions.report import Report, read_reports
from service.versions.route import STAGED, Staged

LOOK_EVERY_SECONDS = 0.05
# A wish is forgotten by itself when its command was killed.
SPARE_SECONDS = 10.0
# A replica that died is back by then; one that is silent for longer was killed for good.
GONE_SECONDS = 30.0


class Readiness:
    """What replicas hold of one model. Used by one command, which has the route's lock."""

    def __init__(self, reports: Path, shelf: Path, model: str, say: Callable[[str], None]) -> None:
        self._folder = reports
        self._shelf = shelf
        self._model = model
        self._say = say
        found = read_reports(reports)
        # Those that are silent already ended without a word, long ago: nobody waits for them.
        self.replicas = {name for name, report in found.items() if not report.silent}
        self._first = found

    def everywhere(self, version: str) -> bool:
        """Tell whether every replica holds a version; no where there is no replica."""
        return bool(self.replicas) and all(
            self._first[name].state_of((self._model, version)).state == "READY"
            for name in self.replicas
        )

    def wait_for(self, versions: Collection[str], until: float, steady: Collection[str] = ()) -> None:
        """Return when every replica holds them all; raise `Refused` with one's words if it can't.

        `until` is of the monotonic clock. A replica that ends meanwhile isn't waited for, one that
        begins is. `steady` are versions that the route in force keeps loaded: others may be on their
        way out, and are asked for even where they are still held.
        """
        if not self.replicas:
            self._say("no replica runs: it holds from the next start on")
            return
        if all(version in steady and self.everywhere(version) for version in versions):
            self._say(f"every replica holds {_named(versions)} already")
            return
        command = uuid.uuid4().hex
        left = until - time.monotonic() + SPARE_SECONDS
        wish = Staged(tuple(sorted(versions, key=int)), command, time.time() + left)
        _write(self._shelf / STAGED, msgspec.json.encode(wish))
        try:
            self._wait(versions, until, command)
        finally:
            (self._shelf / STAGED).unlink(missing_ok=True)

    def _wait(self, versions: Collection[str], until: float, command: str) -> None:
        started = time.monotonic()
        done: set[str] = set()
        while True:
            reports = read_reports(self._folder)
            # One that fell silent died, maybe of this very version: it comes back, or its report goes.
            gone = {name for name, each in reports.items() if each.age_seconds > GONE_SECONDS}
            expected = (self.replicas & reports.keys() - gone) | {
                name for name, report in reports.items() if not report.silent
            }
            if gone & self.replicas and not expected:
                raise Refused("every replica has fallen silent; nothing has changed")
            for name in sorted(expected - done):
                if self._ready(reports[name], versions, command):
                    done.add(name)
                    self._say(f"{name}: ready after {time.monotonic() - started:.1f} s")
            if expected <= done:
                return
            if time.monotonic() > until:
                late = ", ".join(
                    self._why_late(reports[name], versions) for name in sorted(expected - done)
                )
                raise Refused(f"not every replica got ready in time: {late}; nothing has changed")
            time.sleep(LOOK_EVERY_SECONDS)

    def _ready(self, report: Report, versions: Collection[str], command: str) -> bool:
        """Tell whether a replica has seen the wish and holds all; raise `Refused` if it can't."""
        if report.silent or report.commands.get(self._model) != command:
            return False
        states = [report.state_of((self._model, version)) for version in versions]
        for each in states:
            if each.state == "UNAVAILABLE":
                raise Refused(
                    f"{report.replica} can't serve {self._model} version {each.version}: "
                    f"{each.reason}; nothing has changed"
                )
        return all(each.state == "READY" for each in states)

    def _why_late(self, report: Report, versions: Collection[str]) -> str:
        if report.silent:
            return f"{report.replica} has been silent for {report.age_seconds:.0f} s"
        states = [report.state_of((self._model, version)) for version in versions]
        words = [f"version {each.version} {each.reason}" for each in states if each.state != "READY"]
        return f"{report.replica}: {', '.join(words) or 'it has not seen the wish'}"


def _named(versions: Collection[str]) -> str:
    return "version" + "s" * (len(versions) > 1) + " " + ", ".join(sorted(versions, key=int))


def _write(path: Path, content: bytes) -> None:
    beside = path.with_suffix(".new")
    beside.write_bytes(content)
    beside.rename(path)
