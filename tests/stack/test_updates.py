"""Updating a model under load: nobody notices, and a broken version never answers."""

from collections.abc import Mapping
from pathlib import Path

from sklearn.dummy import DummyClassifier
from skops.io import dump

from loadtest.client import Load, Payload
from tests.stack.stack import Stack
from tests.stack.traffic import assert_nothing_lost, under_load


def publish(stack: Stack, folder: Path, answer: int) -> None:
    """Publish a version of `update` that always gives the same answer."""
    model = DummyClassifier(strategy="constant", constant=answer).fit([[0.0], [1.0]], [answer] * 2)
    dump(model, folder / "model.skops")
    sample = folder / "sample.jsonl"
    sample.write_text("[0.0]\n[1.0]\n")
    file = str(folder / "model.skops")
    stack.flotilla("publish", file, "--name", "update", "--sample", str(sample))


def answers_its_version(
    payload: Payload, status: int, headers: Mapping[str, str], body: bytes
) -> str | None:
    """Version v must answer v."""
    expected = b'{"predictions":[%s]}' % headers.get("x-model-version", "?").encode()
    return None if (status, body) == (200, expected) else f"{status} {body!r}, not {expected!r}"


def test_activation_under_load(stack: Stack, tmp_path: Path) -> None:
    """Activating loses no request, each answer is its version's, and none after it is the old one's."""
    publish(stack, tmp_path, 1)
    url = f"{stack.url}/v1/models/update:predict"
    repeated = [Payload(b'{"instances": [[0.0]]}')]
    unique = [Payload(b'{"instances": [[%d.5]]}' % number) for number in range(5000)]

    def fault() -> None:
        publish(stack, tmp_path, 2)
        stack.flotilla("activate", "update", "2")
        for payloads in (repeated, unique):
            after = Load(url, 8, 200, payloads, answers_version_2)
            assert_nothing_lost(under_load(after, 1, lambda: None)[0])

    def answers_version_2(*reply: object) -> str | None:
        return answers_its_version(*reply) or (None if reply[2]["x-model-version"] == "2" else "old")

    result, _, _ = under_load(Load(url, 8, 200, repeated * 50 + unique, answers_its_version), 1, fault)
    assert_nothing_lost(result)


def test_broken_version_is_refused(stack: Stack, tmp_path: Path) -> None:
    """A version whose file was changed can't be activated, the command says why, nothing changes."""
    publish(stack, tmp_path, 3)
    folder = max((stack.registry / "update").glob("[0-9]*"), key=lambda path: int(path.name))
    artifact = folder / "model.skops"
    artifact.write_bytes(artifact.read_bytes() + b"x")
    route = stack.registry / "routes" / "update" / "current"
    before = route.readlink()
    said = stack.flotilla("activate", "update", folder.name, expect=1)
    assert "model.skops: its SHA-256 is" in said
    assert route.readlink() == before
