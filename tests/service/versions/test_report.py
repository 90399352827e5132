"""The report: what a replica says of itself is there, up to date and alive, and gone when it stops."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from service.versions import report as module
from service.versions.registry import Registry, VersionState
from service.versions.report import FORGOTTEN_SECONDS, SILENT_SECONDS, Report, Reporter, read_reports
from tests.fakes import fake_version
from tests.polling import wait_until

NAME = "replica-7"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder for reports that doesn't exist yet."""
    return tmp_path / "state" / "reports"


@pytest.fixture
def registry() -> Registry:
    """Return a registry that holds nothing."""
    return Registry()


@pytest.fixture
def reporter(folder: Path, registry: Registry) -> Iterator[Reporter]:
    """Return a reporter that hasn't begun; it is stopped where a test doesn't."""
    reporter = Reporter(folder, NAME, registry)
    yield reporter
    if reporter._thread.is_alive():
        reporter.stop()


@pytest.fixture
def slow_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let so much time pass between two beats that only changes are reported."""
    monkeypatch.setattr(module, "BEAT_SECONDS", 600.0)


@pytest.fixture
def quick_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test see many beats."""
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.01)


def reported(folder: Path) -> Report:
    """Return the only report, once it is there."""
    wait_until(lambda: NAME in read_reports(folder))
    reports = read_reports(folder)
    assert list(reports) == [NAME]
    return reports[NAME]


def test_changes_are_reported(
    folder: Path, registry: Registry, reporter: Reporter, slow_beat: None
) -> None:
    """Each change is written at once: a command waits for it."""
    reporter.start()
    assert reported(folder).versions == []
    registry.hold(fake_version(number=2))
    wait_until(lambda: reported(folder).state_of(("m", "2")).state == "READY")
    registry.refused = {("m", "3"): "broken"}
    registry.commands = {"m": "c-1"}
    registry.tell()
    wait_until(lambda: reported(folder).commands == {"m": "c-1"})
    assert reported(folder).versions == [
        VersionState("m", "2", "READY"),
        VersionState("m", "3", "UNAVAILABLE", "broken"),
    ]
    registry.release([("m", "2")])
    wait_until(lambda: len(reported(folder).versions) == 1)


def test_what_a_report_does_not_name(folder: Path, reporter: Reporter) -> None:
    """A version of which a replica says nothing isn't loaded there."""
    reporter.start()
    assert reported(folder).state_of(("m", "9")) == ("m", "9", "UNAVAILABLE", "not loaded")


def test_it_gives_signs_of_life(folder: Path, reporter: Reporter, quick_beat: None) -> None:
    """Without a change the report is touched, not written again; so nobody takes it for silent."""
    reporter.start()
    reported(folder)
    path = folder / f"{NAME}.json"
    written = path.stat().st_ino
    os.utime(path, (0, 0))
    wait_until(lambda: not read_reports(folder)[NAME].silent)
    assert path.stat().st_ino == written


def test_silence(folder: Path) -> None:
    """A report that isn't touched any more tells for how long: its replica died, or hangs."""
    folder.mkdir(parents=True)
    path = folder / f"{NAME}.json"
    path.write_bytes(msgspec.json.encode(Report(NAME, [], {})))
    assert not read_reports(folder)[NAME].silent
    ago = time.time() - SILENT_SECONDS - 60
    os.utime(path, (ago, ago))
    report = read_reports(folder)[NAME]
    assert report.silent
    assert report.age_seconds > SILENT_SECONDS + 59


def test_it_is_taken_away_at_the_end(folder: Path, reporter: Reporter, slow_beat: None) -> None:
    """A replica that stops leaves nothing behind for which anybody would wait; nor does it wait."""
    reporter.start()
    reported(folder)
    reporter.stop()
    assert list(folder.iterdir()) == []
    assert not reporter._thread.is_alive()


def test_it_comes_back(
    folder: Path, reporter: Reporter, quick_beat: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report that somebody else took away is written again, without a change or a complaint."""
    warnings: list[tuple[object, ...]] = []
    monkeypatch.setattr(module.log, "warning", lambda *arguments: warnings.append(arguments))
    reporter.start()
    reported(folder)
    (folder / f"{NAME}.json").unlink()
    assert reported(folder).replica == NAME
    assert warnings == []


def test_a_folder_that_cannot_be_written(
    folder: Path,
    registry: Registry,
    reporter: Reporter,
    quick_beat: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A replica that can't report says so once and goes on; it reports as soon as it can."""
    warnings: list[tuple[object, ...]] = []
    monkeypatch.setattr(module.log, "warning", lambda *arguments: warnings.append(arguments))
    tries: list[None] = []
    states = registry.states
    monkeypatch.setattr(registry, "states", lambda: tries.append(None) or states())
    folder.parent.write_text("a file, where the folder should be")
    reporter.start()
    wait_until(lambda: len(tries) > 3)
    assert reporter._thread.is_alive()
    assert len(warnings) == 1
    folder.parent.unlink()
    assert reported(folder).replica == NAME


def test_it_ends_though_its_folder_is_none(folder: Path, reporter: Reporter) -> None:
    """Stopping goes well where the report can't be taken away either."""
    folder.parent.write_text("a file, where the folder should be")
    reporter.start()
    reporter.stop()
    assert not reporter._thread.is_alive()


def test_an_old_state_is_no_answer_to_a_new_wish(folder: Path) -> None:
    """A wish that comes while a report is made isn't echoed beside states from before it."""

    class Meanwhile(Registry):
        """Gets a wish right after its states were read."""

        def states(self) -> list[VersionState]:
            """Return the states of before."""
            before = super().states()
            self.commands = {"m": "new"}
            return before

    reporter = Reporter(folder, NAME, Meanwhile())
    reporter._report()
    assert reported(folder).commands == {}
    reporter._report()
    assert reported(folder).commands == {"m": "new"}


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b'{"replica": "\xff"}'])
def test_a_report_that_cannot_be_read(folder: Path, content: bytes) -> None:
    """What isn't a report, or not whole, is none, and hides no other."""
    folder.mkdir(parents=True)
    (folder / "a.json").write_bytes(content)
    (folder / f"{NAME}.new").write_bytes(b"half of")
    (folder / f"{NAME}.json").write_bytes(msgspec.json.encode(Report(NAME, [], {})))
    assert list(read_reports(folder)) == [NAME]


def test_no_folder(folder: Path) -> None:
    """Where no replica has ever reported there is no report."""
    assert read_reports(folder) == {}


def test_what_the_dead_left(folder: Path, reporter: Reporter) -> None:
    """A replica that begins takes away reports of long ago, and no others."""
    old, late = folder / "old.json", folder / "late.json"
    folder.mkdir(parents=True, exist_ok=True)
    for path, age_seconds in ((old, FORGOTTEN_SECONDS + 60), (late, FORGOTTEN_SECONDS - 60)):
        path.write_text("{}")
        os.utime(path, (time.time() - age_seconds,) * 2)
    reporter.start()
    wait_until(lambda: not old.exists())
    assert late.exists()
