"""Locust's scenarios as processes of their own against a small server, right or wrong."""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.loadtest.fakes import Received, Reply, answering
from tests.polling import PATIENCE_SECONDS, wait_until
from tests.published import line, published

ROOT = Path(__file__).resolve().parents[2]
USERS = 5


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a registry with a model whose two versions answer one and two times the sum of a row."""
    folder = tmp_path_factory.mktemp("line") / "registry"
    published(folder, "line", line(1.0), routed=True)
    published(folder, "line", line(2.0))
    return folder


def command(url: str, *options: str) -> list[str]:
    """Return the command of a run of a second, without what Locust prints meanwhile."""
    words = [sys.executable, "-m", "locust", "-f", "loadtest/locustfile.py", "--headless"]
    words += ["--only-summary", "-u", str(USERS), "-t", "1s", "-H", url, "--metrics-port", "0"]
    return [*words, *options]


def run_locust(url: str, *options: str) -> tuple[int, str]:
    """Run it; return the exit code, and everything that was said."""
    return run(command(url, *options))


def run(words: list[str], **environment: str) -> tuple[int, str]:
    """Run a command; return the exit code, and everything that was said, in its order."""
    done = subprocess.run(
        words,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=90,
    )
    return done.returncode, done.stdout


def right(body: Received, version: int = 1, wrong: float = 0.0) -> Reply:
    """Answer as a replica would: each row's sum, times the version; bad input gets its refusal."""
    headers = {"X-Model-Version": str(version)}

    def refusal(status: int, sentence: str) -> Reply:
        return status, headers, json.dumps({"error": sentence}).encode()

    model = body.path.split("/")[3].split(":")[0]
    if model != "line":
        return refusal(404, f"no model {model!r}")
    if "/versions/" in body.path:
        return refusal(404, "line version 999999999 isn't loaded")
    if body.headers["Content-Type"] != "application/json":
        return refusal(415, "Content-Type: expected application/json")
    try:
        rows = json.loads(body)["instances"]
    except (ValueError, KeyError):
        return refusal(400, "body: expected instances")
    if not rows:
        return refusal(400, "instances: expected a list of length >= 1")
    for place, row in enumerate(rows):
        if not isinstance(row, list):
            return refusal(400, f"instances[{place}]: expected a list of 2 numbers")
    predictions = [version * sum(row) + wrong for row in rows]
    return 200, headers, json.dumps({"predictions": predictions}).encode()


def requests_of(said: str) -> int:
    """Return the number of requests that the verdict gives."""
    return int(re.search(r"^([\d,]+) requests, ", said, re.MULTILINE)[1].replace(",", ""))


@pytest.mark.parametrize(
    "options",
    [
        ["--scenario", "repeats"],
        ["--scenario", "unique", "--user-rate", "100"],
        ["--scenario", "batch", "--batch-rows", "3"],
        ["--scenario", "mixed"],
        ["--scenario", "bad", "--user-rate", "50"],
        ["--arrivals", "100"],
    ],
    ids=lambda options: options[-1] if options[0] == "--arrivals" else options[1],
)
def test_right_replies(registry: Path, options: list[str]) -> None:
    """Each scenario ends with exit code 0, and the verdict counts what the server has answered."""
    with answering(right) as (url, received):
        code, said = run_locust(url, "--registry", str(registry), *options)
    assert code == 0, said
    assert f"Rows come from {registry}" in said
    assert said.rstrip().endswith("passed")
    assert requests_of(said) >= len(received) > USERS  # GET isn't among what it received
    keys = {body.headers["X-Client-ID"] for body in received}
    assert 1 < len(keys) <= 20, "each user has one key, and keeps it"
    rows = {len(json.loads(body).get("instances", "")) for body in received if body[-1:] == b"}"}
    assert 3 in rows if "batch" in options else 1 in rows


WRONG: dict[str, Callable[[Received], Reply]] = {
    "status 500: out of order": lambda _: (500, {"X-Model-Version": "1"}, b"out of order"),
    "no version in X-Model-Version": lambda body: (200, {}, right(body)[2]),
    "version 1 answered": lambda body: right(body, wrong=0.01),
    "answered []": lambda _: (200, {"X-Model-Version": "1"}, b'{"predictions": []}'),
    "version 7 answered, and can't be checked": lambda body: right(body, version=7),
    "version 2 answered": lambda body: (200, {"X-Model-Version": "2"}, right(body)[2]),
}


def test_wrong_replies(registry: Path) -> None:
    """One wrong reply in four fails the run, and sentences say what was wrong with each."""
    turns = itertools.cycle(each for wrong in WRONG.values() for each in (wrong, right, right, right))
    with answering(lambda body: next(turns)(body)) as (url, _):
        code, found = run_locust(url, "--registry", str(registry), "--user-rate", "50")
    assert code == 1, found
    assert [said for said in WRONG if said not in found] == []
    assert re.search(r"failed requests +[\d.]+% +0.00% +FAILED", found)
    assert found.rstrip().endswith("FAILED")


def test_bad_input_that_is_taken(registry: Path) -> None:
    """A 200 where a refusal is due is a failure."""
    taken = (200, {"X-Model-Version": "1"}, b'{"predictions": [1]}')
    with answering(lambda body: taken if body.endswith(b"[true]}") else right(body)) as (url, _):
        options = ("--scenario", "bad", "--user-rate", "50", "--registry", str(registry))
        code, said = run_locust(url, *options)
    assert code == 1
    assert "no row: status 200 instead of 400" in said


def test_versions_change_under_load(registry: Path) -> None:
    """Replies are checked against the version that they name, one of meanwhile as well."""
    turns = itertools.chain([1] * 10, itertools.cycle([1, 2]))
    with answering(lambda body: right(body, next(turns))) as (url, _):
        code, said = run_locust(url, "--scenario", "update", "--registry", str(registry))
    assert code == 0, said
    assert re.search(r"answered by line 1: \d+, line 2: \d+", said)


def test_update_commands(registry: Path, tmp_path: Path) -> None:
    """They take turns; one that fails is named, and so is an update that never happened."""
    log = tmp_path / "log"
    options = [
        "--scenario",
        "update",
        "--registry",
        str(registry),
        "--update-seconds",
        "0.1",
        "-t",
        "2s",
    ]
    options += ["--update-command", f"sh -c 'echo tried >> {log}'"]
    options += ["--update-command", f"{sys.executable} -c 'exit(\"no such version\")'"]
    with answering(right) as (url, _):
        code, said = run_locust(url, *options)
    assert code == 1
    assert len(log.read_text().split()) > 1
    assert re.search(r"versions +1 +at least 2 +FAILED", said)
    assert re.search(r"FAILED: update failed: .*: exit code 1: no such version", said)


def test_processes_add_up(registry: Path) -> None:
    """With two processes the verdict has every request that the server got, each once."""
    with answering(right) as (url, received):
        options = ("--processes", "2", "-t", "2s", "--user-rate", "40", "--registry", str(registry))
        code, said = run_locust(url, *options)
    assert code == 0, said
    assert requests_of(said) == len(received) > 100
    assert f"answered by line 1: {len(received):,}" in said


@pytest.mark.parametrize(
    ("options", "code", "row"),
    [
        (["--max-p99-ms", "5000", "--max-p95-ms", "5000"], 0, r"p99 +[\d.]+ ms +5000 ms +ok"),
        (["--max-p95-ms", "0.001"], 1, r"p95 +[\d.]+ ms +0.001 ms +FAILED"),
    ],
)
def test_thresholds_set_the_exit_code(registry: Path, options: list[str], code: int, row: str) -> None:
    """What is kept gives 0, what isn't 1, and the table has both figures."""
    with answering(right) as (url, _):
        found, said = run_locust(url, "--registry", str(registry), *options)
    assert found == code, said
    assert re.search(row, said)


def test_failures_may_be_allowed(registry: Path) -> None:
    """One wrong reply in five is within a ratio of 0.3, and the run is a good one."""
    turns = itertools.cycle([0.0, 0.0, 1.0, 0.0, 0.0])
    with answering(lambda body: right(body, wrong=next(turns))) as (url, _):
        options = ("--registry", str(registry), "--max-fail-ratio", "0.3")
        code, said = run_locust(url, *options)
    assert code == 0, said
    assert re.search(r"failed requests +[\d.]+% +30.00% +ok", said)


def p99_ms(said: str) -> float:
    """Return the verdict's p99."""
    return float(re.search(r"p99 ([\d.,]+) ms, longest", said)[1].replace(",", ""))


def test_a_stall_shows_in_the_open_loop_alone(registry: Path) -> None:
    """A server that stalls once for a second: arrivals of that second are late, users just wait.

    In the closed loop one request in some hundred is slow, so that its p99 says nothing of it.
    """

    def stalling() -> Callable[[Received], Reply]:
        turn, asked = threading.Lock(), itertools.count()

        def answer(body: Received) -> Reply:
            with turn:
                if next(asked) == 50:
                    time.sleep(1)  # the fault itself
            return right(body)

        return answer

    common = ("-t", "3s", "--registry", str(registry))
    with answering(stalling()) as (url, _):
        _, closed = run_locust(url, *common, "-u", "1", "--user-rate", "100")
    with answering(stalling()) as (url, _):
        _, opened = run_locust(url, *common, "-u", "1", "--arrivals", "100", "--max-in-flight", "1")
    assert "closed loop" in closed
    assert p99_ms(closed) < 500
    assert "open loop: 100 arrivals a second" in opened
    assert p99_ms(opened) > 800


def test_arrivals_that_find_no_connection(registry: Path) -> None:
    """What was due and never sent is counted, and fails the run."""

    def slow(body: Received) -> Reply:
        time.sleep(0.3)  # the fault itself
        return right(body)

    with answering(slow) as (url, _):
        options = ("-u", "2", "--arrivals", "60", "--max-in-flight", "2", "--registry", str(registry))
        code, said = run_locust(url, *options)
    assert code == 1
    assert re.search(r"\d+ arrivals were due and never sent", said)
    assert re.search(r"arrivals not sent +[\d.]+% +0.00% +FAILED", said)


def test_users_follow_the_table(registry: Path) -> None:
    """A spike of three seconds has a fifth of the users, all of them, and a fifth again."""
    with answering(right) as (url, _):
        options = ("--scenario", "spike", "-t", "3s", "-u", "10", "--registry", str(registry))
        code, said = run_locust(url, *options)
    assert code == 0, said
    assert re.findall(r"updating to (\d+) users", said) == ["2", "10", "2"]
    assert "will be ignored" not in said, "Locust's own options count"


def test_signal_in_a_shape_gives_a_verdict(registry: Path) -> None:
    """A run that is ended from outside says what it has measured until then."""
    with answering(right) as (url, received):
        words = command(url, "--scenario", "soak", "-t", "60s", "--registry", str(registry))
        process = subprocess.Popen(
            words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        wait_until(lambda: len(received) > 5 or process.poll() is not None)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=2 * PATIENCE_SECONDS)
    assert process.returncode == 0, said
    assert said.rstrip().endswith("passed")


def test_without_a_registry(tmp_path: Path) -> None:
    """Made-up rows of the samples are sent, as the first line says, and one row has one answer."""
    nowhere = str(tmp_path / "nowhere")
    turns = itertools.count()
    same: Reply = (200, {"X-Model-Version": "3"}, b'{"predictions": [1]}')
    with answering(lambda _: same) as (url, received):
        models = "digits,spam,house-prices,movies"
        code, said = run_locust(url, "--registry", nowhere, "--models", models)
    assert code == 0, said
    assert f"Rows are made up, and the same row must get the same answer: {nowhere}" in said
    rows = [json.loads(body)["instances"][0] for body in received]
    assert {len(row) for row in rows if isinstance(row, list)} == {64}
    assert {len(row) for row in rows if isinstance(row, dict)} == {6}
    assert any(isinstance(row, str) for row in rows)

    def moody(_: Received) -> Reply:
        return 200, {"X-Model-Version": "3"}, b'{"predictions": [%d]}' % next(turns)

    with answering(moody) as (url, _):
        options = ("--registry", nowhere, "--scenario", "repeats", "--user-rate", "100")
        code, said = run_locust(url, *options)
    assert code == 1
    assert "for the same row" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--models", "lime"], "no model lime in "),
        (["--scenario", "spikes"], "invalid choice: 'spikes'"),
        (["--max-p99-ms", "-1"], "-1: expected a number from 0"),
        (["--batch-rows", "0"], "0: expected a whole number from 1"),
    ],
)
def test_refusals(registry: Path, options: list[str], said: str) -> None:
    """What can't be done ends the command with a sentence, before any load."""
    code, found = run_locust("http://127.0.0.1:1", "--registry", str(registry), *options)
    assert code == 2
    assert said in found
    assert "Traceback" not in found


def test_address_by_itself() -> None:
    """Without -H the stack is asked that FLOTILLA_URL names, as by every command."""
    words = [sys.executable, "-m", "locust", "-f", "loadtest/locustfile.py", "--headless", "-t", "1s"]
    code, said = run(words, FLOTILLA_URL="http://127.0.0.1:1", FLOTILLA_HOME="/nowhere")
    assert code == 1
    assert "failed requests" in said
    assert "Connection refused" in said


def test_users_who_leave_end_their_request(registry: Path) -> None:
    """When a table has fewer users, those who go wait for their reply: every request is counted."""

    def slow(body: Received) -> Reply:
        time.sleep(0.1)  # so that all of them wait for something when they are to go
        return right(body)

    with answering(slow) as (url, received):
        options = ("--scenario", "spike", "-t", "3s", "-u", "20", "--user-rate", "0")
        code, said = run_locust(url, *options, "--registry", str(registry))
    assert code == 0, said
    assert requests_of(said) == len(received)
