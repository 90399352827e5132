"""`flotilla top` as its own process on a terminal of its own, against a real Prometheus or none."""

import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deploy.top.figures import Figures
from tests.deploy.top.history import counter, gauge, remembering
from tests.polling import PATIENCE_SECONDS
from tests.stack.stack import free_ports

SERIES = [
    gauge("up", 1, job="service", replica="replica-1"),
    gauge("flotilla_ready", 1, job="service", replica="replica-1"),
    gauge("flotilla_model_info", 1, model="digits", version="1", engine="linear", digest="d"),
    counter(
        "flotilla_requests_total", 1234, model="digits", version="1", code="200", replica="replica-1"
    ),
]
ENTER_SCREEN, LEAVE_SCREEN = "\x1b[?1049h", "\x1b[?1049l"
SHOW_CURSOR = "\x1b[?25h"

needs_prometheus = pytest.mark.needs("prometheus", "promtool")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return where a Prometheus is that has seen one replica."""
    with remembering(tmp_path_factory.mktemp("top"), SERIES) as found:
        yield found


@pytest.fixture
def nobody() -> str:
    """Return where no Prometheus is."""
    return f"http://127.0.0.1:{free_ports(1, 29500)[0]}"


def environment(url: str) -> dict[str, str]:
    """Return what the command is told."""
    return {**os.environ, "PROMETHEUS_URL": url, "TERM": "xterm-256color", "PYTHONUTF8": "1"}


def top(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, without a terminal."""
    command = [sys.executable, "-m", "deploy", "top", *words]
    return subprocess.run(
        command, env=environment(url), capture_output=True, text=True, check=False, timeout=60
    )


class Terminal:
    """The command on a terminal of 100 columns and 30 lines."""

    def __init__(self, url: str) -> None:
        self.master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.slave, self.before = slave, termios.tcgetattr(slave)
        self.said = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "deploy", "top", "--every", "0.5"],
            env=environment(url),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C reaches it
        )

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)
        os.close(self.master)
        os.close(self.slave)

    def read_until(self, expression: str, since: int = 0) -> None:
        """Read until what was said, from a place on, has a match."""
        deadline = time.monotonic() + 2 * PATIENCE_SECONDS
        while not re.search(expression, self.said[since:]):
            assert time.monotonic() < deadline, f"no {expression!r} in {self.said[-2000:]!r}"
            self._read(0.1)

    def press(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.master, keys)

    def end(self) -> int:
        """Wait for the end and return the exit code; a full terminal would keep it from ending."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "it doesn't end"
            self._read(0.05)
        self._read(0.05)
        return self.process.returncode

    def _read(self, seconds: float) -> None:
        if select.select([self.master], [], [], seconds)[0]:
            self.said += os.read(self.master, 65536).decode(errors="replace")

    def assert_restored(self) -> None:
        """Its own screen is left, the cursor is back, and keys are read as they were before."""
        assert self.said.count(ENTER_SCREEN) == self.said.count(LEAVE_SCREEN) == 1
        assert self.said.rindex(SHOW_CURSOR) > self.said.index(ENTER_SCREEN)
        assert termios.tcgetattr(self.slave) == self.before
        assert "Traceback" not in self.said


@needs_prometheus
@pytest.mark.parametrize("keys", [b"q", b"Q", b"\x03"], ids=["q", "Q", "Ctrl-C"])
def test_keys_end_it(url: str, keys: bytes) -> None:
    """It paints again and again until q or Ctrl-C, which give the terminal back with exit code 0."""
    with Terminal(url) as terminal:
        terminal.read_until("1,234")
        shown = len(terminal.said)
        terminal.read_until("1,234", since=shown)
        assert termios.tcgetattr(terminal.slave)[3] & termios.ECHO == 0
        terminal.press(keys)
        assert terminal.end() == 0
        terminal.assert_restored()


@needs_prometheus
def test_other_keys_paint_anew(url: str) -> None:
    """A key that means nothing ends nothing."""
    with Terminal(url) as terminal:
        terminal.read_until("1,234")
        terminal.press(b"x\x1b[A ")
        terminal.read_until("1,234", since=len(terminal.said))
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.end() == 0
        terminal.assert_restored()


@needs_prometheus
def test_prometheus_comes_and_goes(nobody: str, tmp_path: Path) -> None:
    """While Prometheus is down a sentence says so; its figures come as soon as it does, and go too."""
    with Terminal(nobody) as terminal:
        terminal.read_until("Prometheus doesn't answer at")
        with remembering(tmp_path, SERIES, int(nobody.rpartition(":")[2])):
            terminal.read_until("1,234")
        terminal.read_until("Prometheus doesn't answer at", since=terminal.said.rindex("1,234"))
        terminal.press(b"q")
        assert terminal.end() == 0
        terminal.assert_restored()


@needs_prometheus
def test_once(url: str) -> None:
    """One picture is printed, without a terminal and without colours as well."""
    done = top(url, "--once")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("╭─ Flotilla ─")
    assert re.search(r"│ digits +1 +linear ", done.stdout)
    assert "\x1b" not in done.stdout


@needs_prometheus
def test_json(url: str) -> None:
    """Machines get one object with every figure: a number, or null where there is none."""
    done = top(url, "--json")
    assert done.returncode == 0, done.stderr
    figures = msgspec.json.decode(done.stdout, type=Figures)
    assert figures.requests_per_second == pytest.approx(1234)
    assert keys(json.loads(done.stdout)) == keys(msgspec.to_builtins(figures))
    (version,) = json.loads(done.stdout)["versions"]
    assert (version["model"], version["engine"], version["p99_seconds"]) == ("digits", "linear", None)


def keys(said: Any) -> Any:
    """Return what is left of an object without its values."""
    if isinstance(said, dict):
        return {name: keys(value) for name, value in said.items()}
    return [keys(each) for each in said] if isinstance(said, list | tuple) else None


@needs_prometheus
@pytest.mark.parametrize("words", [["--once"], ["--json"]])
def test_unknown_model(url: str, words: list[str]) -> None:
    """A misspelt model is a sentence and exit code 1."""
    done = top(url, "--model", "digit", *words)
    assert done.returncode == 1
    assert "knows no model 'digit'; it knows digits" in done.stderr


@pytest.mark.parametrize("words", [["--once"], ["--json"]])
def test_no_prometheus(nobody: str, words: list[str]) -> None:
    """Where there is nothing to try again, a sentence and exit code 1 say that Prometheus is down."""
    done = top(nobody, *words)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: Prometheus doesn't answer at {nobody}")
    assert done.stdout == ""


def test_no_terminal(nobody: str) -> None:
    """A pipe isn't filled with pictures: a sentence tells what to ask for instead."""
    done = top(nobody)
    assert done.returncode == 1
    assert "--once shows one picture" in done.stderr
