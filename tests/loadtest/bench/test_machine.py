"""What was measured on what: the commit, marked where files differ."""

import subprocess
from pathlib import Path

import pytest

from loadtest.bench.machine import commit, in_short
from tests.loadtest.bench.reports import MACHINE


def git(folder: Path, *words: str) -> str:
    """Run git as somebody."""
    who = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
    return subprocess.run(
        ["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_commit_says_when_files_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clean tree gives the commit's short name, a changed one marks it, none is unknown."""
    monkeypatch.setattr("loadtest.bench.machine.ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit() == "unknown"
    git(tmp_path, "init", "-q")
    (tmp_path / "file").write_text("1")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-qm", "first")
    name = git(tmp_path, "rev-parse", "--short", "HEAD")
    assert commit() == name
    (tmp_path / "file").write_text("2")
    assert commit() == f"{name}+changes"


def test_in_short_names_machine_and_commit() -> None:
    """Enough for a chart's title."""
    assert in_short(MACHINE) == "Abacus, 2 cores, commit abc1234"
