"""The command that plans: for people and for machines, its exit codes, and what it refuses."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploy.cli import main
from loadtest.study.folder import save
from loadtest.study.study import Study
from tests.loadtest.studies import make_study


def run(folder: Path, study: Study, command: str) -> Result:
    """Plan with a study that is saved first."""
    save(study, folder)
    return CliRunner().invoke(main, ["plan", "--study", str(folder), *command.split()])


def linear(replicas: tuple[int, ...] = (1, 2, 4, 8)) -> Study:
    """Return a study of replicas that give 500 requests/s each, 350 of them within 50 ms."""
    return make_study(replicas, sigma=0, kappa=0, noise=0)


def test_for_people(tmp_path: Path) -> None:
    """The answer comes first, then a table, then sentences that fit into 80 columns."""
    result = run(tmp_path, linear(), "--rps 1740 --p99 50ms")
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert lines[0] == "1,740 requests/s with p99 within 50 ms: 5 replicas (4 to 5)"
    assert lines[2:7] == [
        "replicas CPUs memory",
        "at best 4 1.4 0.5 GB",
        "expected 5 1.6 0.6 GB",
        "at worst 5 1.6 0.6 GB",
        "expected, and one to fail or be updated 6 1.8 0.7 GB",
    ]
    assert "Holds for digits-forest version 1" in result.output
    assert all(len(line) <= 80 for line in result.output.splitlines())


def test_for_machines(tmp_path: Path) -> None:
    """Machines get names, numbers and the sentences."""
    result = run(tmp_path, linear(), "--rps 3490 --p99 0.05s --json")
    found = json.loads(result.output)
    assert found["reached"] is True
    assert found["extrapolated"] is True
    assert found["expected"]["replicas"] == 10
    assert found["expected"]["memory_bytes"] == 10 * 110_000_000 + 40_000_000
    assert found["share"]["value"] == pytest.approx(0.7, rel=1e-3)
    assert found["kept"][0] == {"replicas": 1, "rate": 350.0, "share": 0.7, "missed": 0.9}
    assert any(each.startswith("EXTRAPOLATED") for each in found["sentences"])


def test_never_enough(tmp_path: Path) -> None:
    """What can't be reached exits with 1, for people and for machines."""
    study = make_study((1, 2, 4, 8, 12), sigma=0.05, kappa=0.01, noise=0)
    result = run(tmp_path, study, "--rps 5000 --p99 50ms")
    assert result.exit_code == 1
    assert result.output.startswith("5,000 requests/s with p99 within 50 ms: no number of replicas is")
    assert "expected" not in result.output
    result = run(tmp_path, study, "--rps 5000 --p99 50ms --json")
    assert result.exit_code == 1
    assert json.loads(result.output)["expected"]["replicas"] is None


@pytest.mark.parametrize("p99", ["50ms", "0.05s", ".05s", "50000us", "50000µs", "50.0ms"])
def test_times(tmp_path: Path, p99: str) -> None:
    """A time may be written in seconds and in parts of them."""
    result = run(tmp_path, linear(), f"--rps 100 --p99 {p99} --json")
    assert json.loads(result.output)["p99_seconds"] == pytest.approx(0.05)


@pytest.mark.parametrize("p99", ["50", "ms", "-5ms", "0ms", "5m", "1e3ms", "5ms5"])
def test_bad_times(tmp_path: Path, p99: str) -> None:
    """Whatever has no unit, or is no time above 0, is named with what was expected."""
    result = run(tmp_path, linear(), f"--rps 100 --p99 {p99}")
    assert (result.exit_code, result.output) == (
        1,
        f"Error: --p99 {p99}: expected a time above 0 with its unit, as in 50ms or 0.05s\n",
    )


def test_bad_rates(tmp_path: Path) -> None:
    """A rate is a number above 0."""
    assert run(tmp_path, linear(), "--rps many --p99 5ms").exit_code == 2
    result = run(tmp_path, linear(), "--rps nan --p99 5ms")
    assert (result.exit_code, result.output) == (1, "Error: rps nan: expected a number above 0\n")


def test_rows(tmp_path: Path) -> None:
    """A study of other requests is refused, with how to measure these."""
    assert run(tmp_path, linear(), "--rps 100 --p99 50ms --rows 1").exit_code == 0
    result = run(tmp_path, linear(), "--rps 100 --p99 50ms --rows 8")
    assert (result.exit_code, result.output) == (
        1,
        "Error: study made has rows=1 in each request, not 8; measure these: flotilla sweep --rows 8\n",
    )


def test_too_small_a_study(tmp_path: Path) -> None:
    """A study without a law, and a folder without a study, are refused in a sentence."""
    result = run(tmp_path, linear((1, 2)), "--rps 100 --p99 50ms")
    assert result.exit_code == 1
    assert result.output.startswith("Error: the scaling law needs peaks of at least 3 numbers")
    command = ["plan", "--rps", "1", "--p99", "5ms", "--study", str(tmp_path / "none")]
    assert CliRunner().invoke(main, command).output.startswith("Error: no study")


def test_where_load_tests_are_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run-only venv has no histograms: it is said what installs them."""
    monkeypatch.setitem(sys.modules, "loadtest.plan.plan", None)
    result = run(tmp_path, linear(), "--rps 100 --p99 50ms")
    assert (result.exit_code, result.output) == (
        1,
        "Error: load tests need loadtest.plan.plan, which isn't installed: "
        "`make sweep` installs what they need\n",
    )
