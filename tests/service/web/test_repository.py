"""The repository index: every version there is, with its state here, as Triton's extension has it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.replica import Replica
from service.settings import Settings
from service.web import create_app
from tests.published import damage
from tests.service.followed import route_to, stage

PATH = "/v2/repository/index"


@pytest.fixture
def replica(own_lines: Path) -> Iterator[Replica]:
    """Return a replica that hasn't read its routes yet."""
    replica = Replica(Settings(registry_dir=own_lines))
    yield replica
    replica._batcher.close()


@pytest.fixture
def client(replica: Replica) -> FlaskClient:
    """Return a client of the replica's pages."""
    return create_app(replica).test_client()


def states(client: FlaskClient, body: Any = None) -> list[tuple[str, ...]]:
    """Return what the index says of each version, in the members that the extension names."""
    with client.post(PATH, json=body) if body is not None else client.post(PATH) as response:
        assert response.status_code == 200, response.text
        for each in response.get_json():
            assert list(each) == ["name", "version", "state", "reason"]
        return [tuple(each.values()) for each in response.get_json()]


def test_every_state(own_lines: Path, replica: Replica, client: FlaskClient) -> None:
    """Loaded, refused and merely published versions are listed, by model and number."""
    damage(own_lines / "a" / "2" / "model.skops")
    stage(own_lines, "a", "2")
    replica._follower.follow()
    first, refused, *rest = states(client)
    assert first == ("a", "1", "READY", "")
    assert refused[:3] == ("a", "2", "UNAVAILABLE")
    assert refused[3].startswith("model.skops: its SHA-256 is ")
    assert rest == [
        ("a", "3", "UNAVAILABLE", "no route names it"),
        ("a", "4", "UNAVAILABLE", "no route names it"),
        ("b", "1", "READY", ""),
        ("b", "2", "UNAVAILABLE", "no route names it"),
    ]


def test_what_is_being_loaded(own_lines: Path, replica: Replica, client: FlaskClient) -> None:
    """While a version is opened it is LOADING, and those after it too."""
    route_to(own_lines, "b", {"2": 100.0})
    seen: list[tuple[str, ...]] = []
    replica._follower._on_load = lambda version: seen.extend(states(client))
    replica._follower.follow()
    assert ("b", "2", "LOADING", "being loaded") in seen
    assert ("a", "1", "LOADING", "being loaded") in seen
    assert {each[2] for each in states(client, {"ready": True})} == {"READY"}


def test_damage_is_told(own_lines: Path, replica: Replica, client: FlaskClient) -> None:
    """A version that serves from memory alone is READY, with the reason to worry."""
    replica._follower.follow()
    (own_lines / "a" / "1" / "sample.npz").unlink()
    replica._follower._damage._next = 0.0
    replica._follower.follow()
    assert states(client)[0] == (
        "a",
        "1",
        "READY",
        "in memory; on disk: sample.npz: No such file or directory",
    )


@pytest.mark.parametrize(("body", "count"), [({}, 6), ({"ready": False}, 6), ({"ready": True}, 2)])
def test_ready_alone(replica: Replica, client: FlaskClient, body: Any, count: int) -> None:
    """Who asks for what is ready gets nothing else."""
    replica._follower.follow()
    assert len(states(client, body)) == count


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"null", b'{"ready": 1}', b'{"\xff": true}', b'{"reday": true}', b"[" * 100_000],
)
def test_bad_body(client: FlaskClient, body: bytes) -> None:
    """What isn't a request is a 400 that says what was expected."""
    with client.post(PATH, data=body) as response:
        assert response.status_code == 400
        assert response.get_json()["error"].startswith("body: ")


def test_wrong_method(client: FlaskClient) -> None:
    """The index is asked for by POST."""
    with client.get(PATH) as response:
        assert response.status_code == 405


def test_what_is_no_version(own_lines: Path, replica: Replica, client: FlaskClient) -> None:
    """Routes, half published versions and other people's folders aren't listed."""
    before = states(client)
    for folder in ("routes/9", ".trash/1", "a/.publishing-x/1", "a/5.bak", "a/notes", "no model/1"):
        (own_lines / folder).mkdir(parents=True)
    assert states(client) == before


def test_no_registry(tmp_path: Path) -> None:
    """Where nothing has been published the index is empty."""
    replica = Replica(Settings(registry_dir=tmp_path / "nowhere"))
    assert states(create_app(replica).test_client()) == []
    replica._batcher.close()
