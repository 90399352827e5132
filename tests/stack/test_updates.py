"""Versions that mustn't answer: each is refused with its reason, and what answers notices nothing."""

import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from skops.io import dump

from deploy.local.supervisor import wait_until
from loadtest.client import Load
from tests.published import line
from tests.service.followed import publish_deadly
from tests.stack.ask import ask
from tests.stack.lines import check_line, line_payload, line_payloads, publish_line
from tests.stack.stack import Stack
from tests.stack.traffic import assert_nothing_lost, under_load

NAME = "updates"


@pytest.fixture
def live(stack: Stack, tmp_path: Path) -> Stack:
    """Return a stack in which version 1 of the model answers; more may be published."""
    if not (stack.registry / NAME).exists():
        publish_line(stack, tmp_path, NAME, 1)
    return stack


@contextmanager
def nothing_changes(stack: Stack) -> Iterator[None]:
    """Fail where the route is another one afterwards, or a request was lost or answered otherwise."""
    current = stack.registry / "routes" / NAME / "current"
    before, go_on = current.readlink(), threading.Event()
    url = f"{stack.url}/v1/models/{NAME}:predict"
    load = Load(url, 8, 100.0, line_payloads(1000, 5), check_line)
    with ThreadPoolExecutor(1) as thread:
        loading = thread.submit(under_load, load, 1.0, lambda: go_on.wait(60) and None)
        try:
            yield
        finally:
            go_on.set()
        result, *_ = loading.result()
    assert_nothing_lost(result)
    assert set(result.answered_by(0, float("inf"))) == {"1"}
    assert current.readlink() == before


def newest(stack: Stack) -> Path:
    """Return the folder of the last published version."""
    return max((stack.registry / NAME).glob("[0-9]*"), key=lambda path: int(path.name))


def test_wrong_digest(live: Stack, tmp_path: Path) -> None:
    """A version whose file was changed is refused."""
    publish_line(live, tmp_path, NAME, 2)
    artifact = newest(live) / "model.skops"
    artifact.write_bytes(artifact.read_bytes() + b"x")
    with nothing_changes(live):
        said = live.flotilla("activate", NAME, newest(live).name, expect=1)
    assert "can't be served: model.skops: its SHA-256 is" in said


def test_crash_on_load(live: Stack) -> None:
    """A version that ends whatever process opens it is refused before any replica has opened it."""
    version = publish_deadly(live.registry, NAME)
    with nothing_changes(live):
        said = live.flotilla("activate", NAME, version, expect=1)
    assert "loading it ended the process with SIGSEGV" in said


def test_other_signature(live: Stack, tmp_path: Path) -> None:
    """A version for which today's requests would be wrong is refused, and says what is different."""
    wide = np.arange(30.0).reshape(10, 3)
    dump(line(1.0).fit(wide, wide.sum(axis=1)), tmp_path / "model.skops")
    np.savez(tmp_path / "sample.npz", x=wide)
    sample = ("--sample", str(tmp_path / "sample.npz"))
    live.flotilla("publish", str(tmp_path / "model.skops"), "--name", NAME, *sample)
    with nothing_changes(live):
        said = live.flotilla("activate", NAME, newest(live).name, expect=1)
    assert "a row had 2 numbers, now it has 3" in said


def test_deadline(live: Stack, tmp_path: Path) -> None:
    """A replica that doesn't get ready in time ends the command with its name, and nothing changes."""
    publish_line(live, tmp_path, NAME, 2)
    silent = min(live.replicas())
    with live.hung(silent):
        said = live.flotilla("activate", NAME, newest(live).name, "--deadline", "2", expect=1)
    assert "not every replica got ready in time" in said
    assert silent in said
    assert ask_version(live) == "1"


def test_half_copied(live: Stack) -> None:
    """A version that is still being copied from elsewhere can't be routed, whatever is there of it."""
    folder = live.registry / NAME / str(int(newest(live).name) + 1)
    folder.mkdir()
    source = live.registry / NAME / "1"
    for names in ((), ("model.skops",), ("model.skops", "manifest.json")):
        for name in names:
            shutil.copyfile(source / name, folder / name)
        said = live.flotilla("activate", NAME, folder.name, expect=1)
        assert "can't be served: manifest.json: " in said
    shutil.rmtree(folder)
    assert ask_version(live) == "1"


def test_deleted_while_it_serves(live: Stack) -> None:
    """A live version whose folder vanishes goes on answering, and the index says so."""
    folder = live.registry / NAME / "1"
    away = live.registry / f".{NAME}-away"
    with nothing_changes(live):
        os.rename(folder, away)
        try:
            assert wait_until(lambda: "manifest.json: " in reason(live, "1"), 20), reason(live, "1")
        finally:
            os.rename(away, folder)
    assert wait_until(lambda: reason(live, "1") == "", 20)


def reason(stack: Stack, version: str) -> str:
    """Return what a replica has to say of a version that it holds."""
    index = ask(stack.url, "POST", "/v2/repository/index").json
    found = next(each for each in index if (each["name"], each["version"]) == (NAME, version))
    assert found["state"] == "READY"
    return str(found["reason"])


def ask_version(stack: Stack) -> str:
    """Return the version that answers."""
    payload = line_payload(1.0, 2.0)
    reply = ask(stack.url, "POST", f"/v1/models/{NAME}:predict", payload.body)
    return str(reply.headers["X-Model-Version"])
