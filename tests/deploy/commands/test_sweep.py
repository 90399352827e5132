"""`flotilla sweep` as a command: what it refuses before anything is measured."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy.cli import main


def refused(*words: str, code: int = 1) -> str:
    """Run a sweep that is refused, and return what it says."""
    done = CliRunner().invoke(main, ["sweep", *words])
    assert done.exit_code == code, done.output
    return " ".join(done.output.split())


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in a folder without a stack."""
    monkeypatch.setenv("FLOTILLA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", "flotilla-nobody")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("replicas", ["", "0", "1,", "a", "1;2", "-1"])
def test_numbers_of_replicas(replicas: str) -> None:
    """What is no list of numbers is wrong usage."""
    assert "as in 1,2,4,8" in refused("--replicas", replicas, code=2)


def test_no_stack_runs() -> None:
    """Without a stack both reasons are given, of containers and of processes."""
    said = refused()
    assert "no stack runs that could be measured: " in said
    assert "flotilla up" in said


def test_the_wanted_stack_does_not_run() -> None:
    """--stack local alone says how to start that one."""
    said = refused("--stack", "local")
    assert said.startswith("Error: no stack runs in")
    assert "docker" not in said


def test_nothing_to_resume(tmp_path: Path) -> None:
    """--resume without any study, and with a name that there isn't."""
    assert "no unfinished study" in refused("--results", str(tmp_path), "--resume")
    assert "no study" in refused("--results", str(tmp_path), "--resume", "mine")
