"""Processes of the bench: none is left running, and one that fails says why."""

import signal
import socket
import sys
from pathlib import Path

import pytest

from loadtest.bench.processes import StartError, free_ports, output_of, run_to_end, running

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


def test_output_of_a_module() -> None:
    """What a module prints is returned; one that fails is an error with what it said."""
    assert output_of("calendar", "2024", "2", patience_seconds=30).startswith(b"   February 2024")
    with pytest.raises(StartError, match=r"(?s)calendar: exit code 2\n.*invalid int value"):
        output_of("calendar", "MMXXIV", patience_seconds=30)
