"""What can be asked of a registry, and of none."""

from pathlib import Path

import msgspec
import pytest

from deploy.errors import Refused
from loadtest.payloads import MARK
from loadtest.scenarios.book import Book
from loadtest.scenarios.origin import serves
from tests.loadtest.fakes import answering
from tests.published import published


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Return a registry with two models that have a route, and one that has none."""
    folder = tmp_path / "registry"
    for name in ("first", "second"):
        published(folder, name, routed=True)
    published(folder, "idle")
    return folder


def test_models(registry: Path) -> None:
    """Those asked for, all of them, or else the first; one that has no route can't be asked."""
    book = Book(registry)
    assert book.checked
    assert book.models("second, first") == ["second", "first"]
    assert book.models("", every=True) == ["first", "second"]
    assert book.models("") == ["first"]
    with pytest.raises(Refused, match=r"no model idle in .*registry; there are first, second"):
        book.models("first,idle")


def test_empty_registry(tmp_path: Path) -> None:
    """A registry without a model is said to be one."""
    with pytest.raises(Refused, match="has a route; flotilla activate gives it one"):
        Book(tmp_path).models("")


def test_bank(registry: Path) -> None:
    """A bank has the version's rows and their answers, and is made once."""
    made = []

    def run(do: object, *given: object) -> object:
        made.append(given)
        return do(*given)

    book = Book(registry)
    bank = book.bank("first", 2, run)
    assert book.bank("first", 2, run) is bank
    assert made == [("first", 2)]
    assert (bank.path, bank.unique) == ("/v1/models/first:predict", True)
    rows = msgspec.json.decode(bank.bodies[0].replace(MARK, b"0" * 9))["instances"]
    assert bank.answers.wrong(1, 0, 0, [sum(row) for row in rows]) is None
    assert bank.answers.wrong(1, 0, 0, [sum(row) + 1 for row in rows]) is not None


def test_rows_without_room_for_a_mark(tmp_path: Path) -> None:
    """Words of a table can't be made unique, and are asked as they are."""
    import pandas as pd
    from sklearn.dummy import DummyClassifier

    table = pd.DataFrame({"colour": ["red", "blue"] * 20})
    model = DummyClassifier(strategy="most_frequent").fit(table, ["yes", "yes"] * 20)
    published(tmp_path / "registry", "words", model, table, routed=True)
    bank = Book(tmp_path / "registry").bank("words", 1)
    assert not bank.unique
    assert bank.bodies[0] == b'{"instances": [{"colour": "red"}]}'


def test_no_registry(tmp_path: Path) -> None:
    """Without a registry there are the samples, with made-up rows that have a mark each."""
    book = Book(tmp_path / "nowhere")
    assert not book.checked
    assert book.models("") == ["digits"]
    for model, rows in (("digits", 1), ("house-prices", 3), ("movies", 2)):
        body = book.bank(model, rows).bodies[0]
        assert body.count(MARK) == rows
        assert len(msgspec.json.decode(body.replace(MARK, b"1" * 9))["instances"]) == rows
    with pytest.raises(Refused, match="no model digit in the samples; there are digits, digits-forest"):
        book.models("digit")


@pytest.mark.parametrize(
    ("status", "content", "same"),
    [
        (200, b'{"parameters": {"digest": "abc"}}', True),
        (200, b'{"parameters": {"digest": "xyz"}}', False),
        (404, b'{"error": "no model"}', False),
        (404, b"<html>", True),
        (200, b"<html>", True),
    ],
)
def test_the_stacks_own_registry(status: int, content: bytes, same: bool) -> None:
    """A stack that has another version under the number, or none, serves from elsewhere."""
    with answering(lambda _: (200, {}, b""), lambda path: (status, {}, content)) as (url, _):
        assert serves(url, "m", 1, "abc") == same


def test_another_stacks_registry(registry: Path) -> None:
    """Its rows and answers are left alone, with the reason; a stack that is silent changes nothing."""
    silent, other = Book(registry), Book(registry)
    silent.compare("http://127.0.0.1:1", ["first"])
    assert silent.checked
    another = b'{"parameters": {"digest": "xyz"}}'
    with answering(lambda _: (200, {}, b""), lambda path: (200, {}, another)) as (url, _):
        other.compare(url, ["first"])
    assert not other.checked
    assert f"first of {url} isn't the one in {registry}" in other.why_unchecked
