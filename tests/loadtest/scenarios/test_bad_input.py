"""Bad requests, and the refusals that they must get; the real service's are in the stack's tests."""

import msgspec
import pytest

from loadtest.scenarios.bad_input import BAD, Bad, wrong

PATH, BODY = "/v1/models/m:predict", b'{"instances": [[1.0, 2.0]]}'
KINDS = {bad.kind: bad for bad in BAD}


def error(sentence: str) -> bytes:
    """Return the body of a refusal."""
    return msgspec.json.encode({"error": sentence})


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.kind)
def test_right_refusal(bad: Bad) -> None:
    """The status that is due, and a sentence that begins with the field."""
    sentence = bad.names.format(model="m") + " and so on"
    assert wrong(bad, "m", bad.status, error(sentence)) is None


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.kind)
@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (200, b'{"predictions": [1]}', "status 200 instead of"),
        (500, b"Internal Server Error", "status 500 instead of"),
        (None, b"<html>Bad Request</html>", "no JSON with an error"),
        (None, b'{"detail": "no"}', "no JSON with an error"),
        (None, b'{"error": "Bad Request"}', "doesn't name"),
        (None, b'{"error": null}', "doesn't name"),
    ],
)
def test_wrong_refusal(bad: Bad, status: int | None, content: bytes, said: str) -> None:
    """An answer, a fault, another form and a sentence about nothing are failures."""
    found = wrong(bad, "m", bad.status if status is None else status, content)
    assert found is not None
    assert found.startswith(f"{bad.kind}: {said}") or said in found


def test_what_is_sent() -> None:
    """Each is what its name says."""
    assert KINDS["cut off"].make(PATH, BODY).body == BODY[: len(BODY) // 2]
    assert KINDS["one bad row"].make(PATH, BODY).body == b'{"instances": [[1.0, 2.0], true]}'
    assert KINDS["no such version"].make(PATH, BODY).path == "/v1/models/m/versions/999999999:predict"
    assert KINDS["declared as text"].make(PATH, BODY).content_type == "text/plain"
    assert KINDS["GET"].make(PATH, BODY).method == "GET"
