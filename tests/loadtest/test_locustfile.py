"""The Locust scenario as its own process against a small server, right or wrong."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

from tests.loadtest.fakes import Reply, answering

ROOT = Path(__file__).resolve().parents[2]
VERSION = {"X-Model-Version": "3"}


def run_locust(url: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the scenario for a second with five users."""
    command = [sys.executable, "-m", "locust", "-f", "loadtest/locustfile.py", "--headless"]
    command += ["-u", "5", "-t", "1s", "-H", url, "--metrics-port", "0", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_sends_rows_of_each_model_asked_for() -> None:
    """Right replies end the run with exit code 0, and the rows are those of the samples."""
    with answering(lambda _: (200, VERSION, b'{"predictions": [1]}')) as (url, received):
        done = run_locust(url, "--models", "digits,spam,house-prices,movies")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(body)["instances"][0] for body in received]
    assert len(rows) >= 20
    assert {len(row) for row in rows if isinstance(row, list)} == {64}
    assert {len(row) for row in rows if isinstance(row, dict)} == {6}
    assert any(isinstance(row, str) for row in rows)
    keys = [body.headers["X-Client-ID"] for body in received]
    assert len(set(keys)) == 5, "each user has one key, and keeps it"


def test_fails_on_wrong_replies() -> None:
    """A wrong status, a missing version and a missing prediction are failures with their reason."""
    wrong: dict[str, Reply] = {
        "status 500": (500, VERSION, b'{"error": "out of order"}'),
        "no version in X-Model-Version": (200, {}, b'{"predictions": [1]}'),
        "not one prediction": (200, VERSION, b'{"predictions": []}'),
    }
    turns = itertools.cycle(wrong.values())
    with answering(lambda _: next(turns)) as (url, _):
        done = run_locust(url)
    assert done.returncode == 1
    for reason in wrong:
        assert reason in done.stdout + done.stderr


def test_refuses_an_unknown_model() -> None:
    """A misspelt model ends the command with a sentence, before any load."""
    done = run_locust("http://127.0.0.1:1", "--models", "digit")
    assert done.returncode == 2
    assert "no sample digit" in done.stderr
