"""The command: errors are one sentence, and a kept run becomes tables, a chart and JSON again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from loadtest.bench.__main__ import main
from tests.loadtest.bench.reports import report


def test_a_kept_run_is_rendered_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--from` measures nothing and writes all that a run would."""
    (tmp_path / "run.json").write_bytes(report().json())
    files = {name: tmp_path / name for name in ("again.json", "tables.md", "bench.png")}
    options = zip(("--json", "--markdown", "--chart"), map(str, files.values()), strict=True)
    arguments = ["--from", str(tmp_path / "run.json"), *(word for pair in options for word in pair)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert files["again.json"].read_bytes() == report().json()
    assert "| yes |" in files["tables.md"].read_text()
    assert files["bench.png"].stat().st_size > 1000


def test_failed_requests_fail_the_command(tmp_path: Path) -> None:
    """Figures with failed requests are shown, and neither drawn nor written into the README."""
    (tmp_path / "run.json").write_bytes(report(failed=2).json())
    chart = tmp_path / "bench.png"
    done = CliRunner().invoke(main, ["--from", str(tmp_path / "run.json"), "--chart", str(chart)])
    assert done.exit_code == 1
    assert "2 requests failed" in done.output
    assert not chart.exists()


def test_a_file_that_is_no_run_is_one_sentence(tmp_path: Path) -> None:
    """Anything else than a run of the bench is refused with what is wrong."""
    (tmp_path / "run.json").write_text("{}")
    done = CliRunner().invoke(main, ["--from", str(tmp_path / "run.json")])
    assert done.exit_code == 1
    assert "Error: Object missing required field `machine`" in done.output


def test_missing_wrk_is_one_sentence(tmp_path: Path) -> None:
    """Without wrk the command ends with a sentence that says what to install."""
    done = subprocess.run(
        [sys.executable, "-m", "loadtest.bench"],
        cwd=Path(__file__).resolve().parents[3],
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr == "Error: the benchmark needs wrk: apt-get install wrk\n"
