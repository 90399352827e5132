"""What a replica says of itself to the commands that wait for it: one small file for each replica.

A file and not a route, because it works the same on a bare machine, in containers and in a cluster:
whoever changes routes shares a folder with the replicas anyway, but need not reach their network.
"""

import logging
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from service.versions.registry import Registry, VersionState
from service.versions.wanted import Key

log = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
SILENT_SECONDS = 5.0
FORGOTTEN_SECONDS = 3600.0


class Report(Struct, frozen=True):
    """What a replica holds, and the command that it has last seen for each model."""

    replica: str
    versions: list[VersionState]
    commands: dict[str, str]
    age_seconds: float = 0.0  # since its last sign of life; set by the reader

    @property
    def silent(self) -> bool:
        """Whether it has given no sign of life for some time."""
        return self.age_seconds > SILENT_SECONDS

    def state_of(self, key: Key) -> VersionState:
        """Return what it says of a version."""
        for each in self.versions:
            if (each.model, each.version) == key:
                return each
        return VersionState(*key, "UNAVAILABLE", "not loaded")


class Reporter:
    """Writes the report of one replica whenever it changes, and touches it every second."""

    def __init__(self, folder: Path, replica: str, registry: Registry) -> None:
        self._path = folder / f"{replica}.json"
        self._replica = replica
        self._registry = registry
        self._stopped = False
        self._written = b""
        self._thread = threading.Thread(target=self._report_forever, name="reporter", daemon=True)

    def start(self) -> None:
        """Begin to report."""
        self._thread.start()

    def stop(self) -> None:
        """Report no more, and take the report away: nobody has to wait for this replica."""
        self._stopped = True
        self._registry.tell()
        self._thread.join()

    def _report_forever(self) -> None:
        self._clear_up()
        complained = False
        while not self._stopped:
            try:
                self._report()
            except OSError as error:  # a replica that can't report still serves
                if not complained:
                    log.warning("commands won't wait for this replica: %s", error)
                complained, self._written = True, b""
            self._registry.changed.wait(BEAT_SECONDS)
            self._registry.changed.clear()
        with suppress(OSError):
            self._path.unlink()

    def _clear_up(self) -> None:
        """Take away what replicas left that were killed: in containers each has a new name."""
        for path in self._path.parent.glob("*.json"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > FORGOTTEN_SECONDS:
                    path.unlink()

    def _report(self) -> None:
        # In this order: what it says of versions must not be older than the command it has seen, or a
        # refusal of an earlier attempt would pass for one of this.
        commands = dict(self._registry.commands)
        report = Report(self._replica, self._registry.states(), commands)
        encoded = msgspec.json.encode(report)
        if encoded == self._written and self._path.exists():
            os.utime(self._path)
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(".new")
        beside.write_bytes(encoded)
        beside.rename(self._path)
        self._written = encoded


def read_reports(folder: Path) -> dict[str, Report]:
    """Return the report of each replica by its name, silent ones as well."""
    reports = {}
    for path in sorted(folder.glob("*.json")):
        try:
            age = time.time() - path.stat().st_mtime
            report = msgspec.json.decode(path.read_bytes(), type=Report)
        except (OSError, ValueError):
            continue  # it has just ended
        reports[report.replica] = msgspec.structs.replace(report, age_seconds=age)
    return reports
