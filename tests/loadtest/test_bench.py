"""The benchmark's parts: honest bodies, checked answers, counted errors, and nothing left running."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.naive_bayes import GaussianNB

from loadtest.bench.processes import StartError, free_ports, run_to_end, running
from loadtest.bench.report import Measurement, Report, short
from loadtest.bench.servers import FASTAPI, FLOTILLA, RETURN_200, Server, published_model
from loadtest.bench.workloads import MARK, WORKLOADS, Workload, WrongAnswerError, check
from loadtest.bench.wrk import Run, measure, parse
from tests.loadtest.fakes import Reply, answering

ONE, BATCH = Workload("digits", 1), Workload("digits", 64)


class Predicting(Protocol):
    """Anything with a model's `predict`."""

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return a class for each row."""
        ...


@pytest.fixture(scope="module")
def model() -> GaussianNB:
    """Return a model of the digits."""
    return GaussianNB().fit(*load_digits(return_X_y=True))


def serving(model: Predicting) -> Callable[[bytes], Reply]:
    """Return what answers with a model's predictions."""

    def answer(body: bytes) -> Reply:
        classes = model.predict(np.asarray(json.loads(body)["instances"])).tolist()
        return 200, {}, json.dumps({"predictions": classes}).encode()

    return answer


def failing(body: bytes) -> Reply:
    """Answer with an error."""
    return 500, {}, b'{"error": "out of order"}'


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.title)
def test_templates_differ_and_hold_the_rows(workload: Workload) -> None:
    """No two bodies are equal, each has its rows, and only the blank first pixel is replaced."""
    templates = workload.templates()
    assert len(set(templates)) == len(templates) >= 28
    pixels = load_digits().data
    for index, template in enumerate(templates[:3]):
        assert template.count(MARK) == workload.rows_per_request
        rows = json.loads(template.replace(MARK, "0.0000000"))["instances"]
        start = index * workload.rows_per_request
        np.testing.assert_array_equal(rows, pixels[start : start + workload.rows_per_request])


@pytest.mark.parametrize("workload", [ONE, BATCH], ids=lambda workload: workload.title)
def test_check_accepts_the_same_model(workload: Workload, model: GaussianNB) -> None:
    """A server that agrees with scikit-learn on at least 200 rows passes."""
    with answering(serving(model)) as (url, received):
        check(Server("test", url), workload, model)
    assert sum(len(json.loads(body)["instances"]) for body in received) >= 200


class OneWrong:
    """A model that mistakes one row of the first 200."""

    def __init__(self, model: GaussianNB) -> None:
        self.model, self.row = model, load_digits().data[150]

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the classes, and for that row one that isn't its own."""
        classes: NDArray[np.int64] = self.model.predict(rows)
        return np.where((rows == self.row).all(axis=1), classes + 1, classes)


@pytest.mark.parametrize("workload", [ONE, BATCH], ids=lambda workload: workload.title)
def test_check_refuses_one_wrong_class(workload: Workload, model: GaussianNB) -> None:
    """A server that differs from scikit-learn in a single row is named and not measured."""
    with (
        answering(serving(OneWrong(model))) as (url, _),
        pytest.raises(WrongAnswerError, match=f"test, {workload.title}: status 200"),
    ):
        check(Server("test", url), workload, model)


def test_check_refuses_an_error(model: GaussianNB) -> None:
    """A server that answers with an error isn't measured."""
    with answering(failing) as (url, _), pytest.raises(WrongAnswerError, match="status 500"):
        check(Server("test", url), ONE, model)


@pytest.mark.needs("wrk")
@pytest.mark.parametrize("workload", [ONE, BATCH], ids=lambda workload: workload.title)
def test_wrk_never_sends_a_body_twice(workload: Workload, model: GaussianNB, tmp_path: Path) -> None:
    """All bodies of two runs differ, also once the templates have been gone through."""
    templates = tmp_path / "templates.txt"
    templates.write_text("\n".join(workload.templates()[:5]) + "\n")
    with answering(serving(model)) as (url, received):
        runs = [
            measure(workload.url(Server("test", url)), templates, 1, first, step=1000)
            for first in (2000, 4000)
        ]
    assert [run.failed for run in runs] == [0, 0]
    assert all(run.requests_per_second > 10 for run in runs)
    assert len(set(received)) == len(received) > 50
    numbers = {json.loads(body)["instances"][0][0] for body in received}
    assert min(numbers) == 2000e-7
    assert max(numbers) < 6000e-7


@pytest.mark.needs("wrk")
def test_wrk_counts_errors(tmp_path: Path) -> None:
    """Each reply that isn't a success is counted, and marks the run as failed."""
    templates = tmp_path / "templates.txt"
    templates.write_text("\n".join(ONE.templates()) + "\n")
    with answering(failing) as (url, _):
        run = measure(url, templates, seconds=1, first=0, step=1)
    assert run.failed >= run.non_2xx > 10


def test_parse_reads_what_the_script_prints() -> None:
    """The last line of wrk's output becomes rates, milliseconds and the sum of socket errors."""
    line = (
        '{"requests": 3000, "microseconds": 2000000, "p50_us": 1500, "p99_us": 9000, '
        '"non_2xx": 2, "connect": 1, "read": 3, "write": 5, "timeout": 7}'
    )
    run = parse(f"Running 2s test @ http://x\n\n{line}\n")
    assert run == Run(1500.0, 1.5, 9.0, non_2xx=2, socket_errors=16)
    assert run.failed == 18


def report(failed: int = 0) -> Report:
    """Return a report of three servers; Flotilla's last run may have failed requests."""
    rates = {FLOTILLA: (800.0, 600.0, 700.0), FASTAPI: (300.0, 350.0, 400.0), RETURN_200: (7e4,)}
    measurements = [
        Measurement(
            BATCH,
            server,
            tuple(Run(rate, 1.0, 2.0, 0, failed if server == FLOTILLA else 0) for rate in each),
        )
        for server, each in rates.items()
    ]
    return Report({"cpu": "Abacus"}, {"seconds a run": 8}, measurements)


def test_report_compares_medians_of_rows() -> None:
    """Rates are rows per second, the ratios are those of the medians, the spread is the runs'."""
    flotilla = report().measurements[0]
    assert flotilla.rate == 700.0 * 64
    assert report().ratio(flotilla, FASTAPI) == 2.0
    assert report().ratio(flotilla, RETURN_200) == 0.01
    markdown = report().markdown()
    assert "| Flotilla | 44.8k | 38.4k-51.2k | 2.00 | 0.010 | 2.0 | 0 |" in markdown
    assert "Abacus" in markdown
    content = json.loads(report().json())
    assert [each["of_fastapi"] for each in content["measurements"]] == [2.0, 1.0, 200.0]
    assert content["machine"] == {"cpu": "Abacus"}


def test_report_marks_failed_runs() -> None:
    """A single failed request shows in the table and fails the report; none doesn't."""
    assert report().failed == 0
    assert "FAILED" not in report().markdown()
    assert report(failed=1).failed == 3
    assert "| 3 FAILED |" in report(failed=1).markdown()


@pytest.mark.parametrize(
    ("rate", "text"),
    [(7.4, "7"), (999, "999"), (1000, "1.00k"), (14_649, "14.6k"), (335_000, "335k"), (2e6, "2.00M")],
)
def test_short_gives_three_figures(rate: float, text: str) -> None:
    """Rates are shown in three figures with their unit."""
    assert short(rate) == text


SLEEPER = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


def test_running_ends_even_what_ignores_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that doesn't end when asked is killed, also when the bench is interrupted."""
    monkeypatch.setattr("loadtest.bench.processes.STOP_SECONDS", 0.1)
    with (
        pytest.raises(KeyboardInterrupt),
        running([sys.executable, "-c", SLEEPER], {}, tmp_path / "log") as process,
    ):
        raise KeyboardInterrupt
    assert process.returncode in (-signal.SIGTERM, -signal.SIGKILL)


def test_run_to_end_shows_why_it_failed(tmp_path: Path) -> None:
    """A command that fails is an error with what it printed; one that succeeds isn't."""
    run_to_end([sys.executable, "-c", "print(1)"], {}, tmp_path / "log")
    script = "print('port taken'); raise SystemExit(3)"
    with pytest.raises(StartError, match="exit code 3\n1\nport taken"):
        run_to_end([sys.executable, "-c", script], {}, tmp_path / "log")


def test_free_ports_passes_over_a_taken_one() -> None:
    """A block with one port in use isn't given out."""
    first = free_ports()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first + 5))
        assert free_ports() > first + 5


def test_published_model_is_the_newest(tmp_path: Path) -> None:
    """Version 10 is newer than 9."""
    for version in (9, 10):
        folder = tmp_path / "flotilla" / "registry" / "digits" / str(version)
        folder.mkdir(parents=True)
        (folder / "model.skops").touch()
    assert published_model(tmp_path, "digits").parent.name == "10"


def test_missing_wrk_is_one_sentence(tmp_path: Path) -> None:
    """Without wrk the command ends with a sentence that says what to install."""
    done = subprocess.run(
        [sys.executable, "-m", "loadtest.bench"],
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr == "Error: the benchmark needs wrk: apt-get install wrk\n"
