"""The command line against a stack: a user's mistakes get one sentence, and down leaves nothing."""

import json
import os
import socket
from pathlib import Path

import pytest

from tests.stack.local import LocalStack

pytestmark = pytest.mark.needs("nginx", "redis-server", "prometheus")


def processes_of(home: Path) -> list[int]:
    """Return the processes that name a folder in their command or work in it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace")
            if str(home) in words or Path(os.readlink(entry / "cwd")) == home:
                found.append(int(entry.name))
        except OSError:
            continue  # it has ended meanwhile
    return found


def test_second_up_says_that_it_runs(local_stack: LocalStack) -> None:
    """Starting twice changes nothing and says where the stack is."""
    before = local_stack.processes()
    assert f"runs already: {local_stack.url}" in local_stack.flotilla("up")
    assert local_stack.processes() == before


def test_taken_port_is_named() -> None:
    """A taken port stops the start before anything runs, and names the setting."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        stack = LocalStack(samples="none", HTTP_PORT=str(port))
        try:
            said = stack.flotilla("up", "--samples", "none", expect=1)
        finally:
            stack.__exit__()
    assert f"port {port} on 127.0.0.1 can't be used" in said
    assert "HTTP_PORT" in said


def test_down_leaves_nothing() -> None:
    """After down no process, socket or generated file is left; the registry is."""
    stack = LocalStack(replicas=1, samples="digits")
    with stack:
        assert len(processes_of(stack.home)) > 5
        stack.flotilla("down")
        assert processes_of(stack.home) == []
        assert {each.name for each in stack.home.iterdir()} == {"registry", "logs", "prometheus"}
        assert "No stack runs" in stack.flotilla("down", "--purge")
        assert not stack.home.exists()
        stack.home.mkdir()


def test_commands_without_a_stack(tmp_path: Path) -> None:
    """What needs a running stack says so, with exit code 1."""
    stack = LocalStack()
    try:
        for words in (["status"], ["scale", "3"], ["predict", "digits", "[]"]):
            assert "no stack runs" in stack.flotilla(*words, expect=1)
        assert "No stack runs" in stack.flotilla("down")
    finally:
        stack.__exit__()


def test_bad_setting_is_named() -> None:
    """A setting that doesn't parse stops every command and names variable, value and bounds."""
    stack = LocalStack(REPLICAS="many")
    try:
        said = stack.flotilla("status", expect=1)
    finally:
        stack.home.rmdir()
    assert "REPLICAS='many': expected a whole number from 1 to 48" in said


def test_status_counts_requests(local_stack: LocalStack) -> None:
    """`flotilla status` shows each replica's port, process, versions and requests."""
    rows = {row["name"]: row for row in json.loads(local_stack.flotilla("status", "--json"))}
    assert {name for name, row in rows.items() if row["port"]} == local_stack.replicas()
    before = sum(row["requests"] or 0 for row in rows.values())
    local_stack.flotilla("predict", "movies", '"Alien | Heat"')
    rows = {row["name"]: row for row in json.loads(local_stack.flotilla("status", "--json"))}
    assert sum(row["requests"] or 0 for row in rows.values()) == before + 1
    assert "digits/1" in rows["replica-1"]["models"]
    assert "replica-1" in local_stack.flotilla("status")


def test_predict_shows_the_servers_words(local_stack: LocalStack) -> None:
    """A refused row shows the error of the replica; a row that isn't JSON never leaves."""
    assert "expected a list of 64 numbers" in local_stack.flotilla("predict", "digits", "[1]", expect=1)
    assert "isn't JSON" in local_stack.flotilla("predict", "digits", "[1", expect=1)


def test_models_lists_versions(local_stack: LocalStack) -> None:
    """`flotilla models` shows every published version, the active ones marked."""
    entries = json.loads(local_stack.flotilla("models", "--json"))
    digits = next(entry for entry in entries if entry["model"] == "digits")
    assert digits["active"]
    assert digits["metrics"]["accuracy"] > 0.9
    assert "house-prices" in local_stack.flotilla("models")


def test_logs(local_stack: LocalStack) -> None:
    """`flotilla logs` shows a process' last lines, and names the logs there are for an unknown one."""
    assert "Booting worker" in local_stack.flotilla("logs", "replica-1", "--lines", "2000")
    assert "there are" in local_stack.flotilla("logs", "nope", expect=1)
