"""The keeper's log: a line when a replica is admitted or left out, and none while nothing changes."""

import logging
from pathlib import Path

import pytest

from deploy.local.keeper import keep_slots


def test_lines(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each change is one event with the replica's name; the last one that serves is never left out."""
    (tmp_path / "run" / "slots").mkdir(parents=True)
    (tmp_path / "programs").mkdir()
    for name in ("replica-1", "replica-2"):
        (tmp_path / "programs" / f"{name}.conf").touch()
    caplog.set_level(logging.INFO, "keeper")
    answering = {"run/replica-1.sock"}

    def look() -> list[tuple[str, str, str]]:
        caplog.clear()
        keep_slots(tmp_path, lambda path, url: path in answering)
        return [(r.levelname, r.message, r.replica) for r in caplog.records]

    assert look() == [("INFO", "a replica is admitted", "replica-1")]
    assert look() == []
    answering.add("run/replica-2.sock")
    assert look() == [("INFO", "a replica is admitted", "replica-2")]
    answering.remove("run/replica-1.sock")
    assert look() == [("WARNING", "a replica is left out", "replica-1")]
    answering.clear()
    assert look() == look() == []
