"""Right answers are each version's own, of one that comes during the load as well."""

from pathlib import Path

import pytest

from deploy.errors import Refused
from loadtest.payloads import make_payloads
from loadtest.scenarios.answers import Published, answers
from tests.published import line, published


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Return the folder of a model of two versions: one and two times the sum of a row."""
    registry = tmp_path / "registry"
    published(registry, "line", line(1.0))
    published(registry, "line", line(2.0))
    return registry / "line"


def judge(shelf: Path) -> tuple[Published, list[float]]:
    """Return what knows the first version, and its answers."""
    payloads = make_payloads(shelf / "1")
    found = Published(shelf, 1, payloads.templates)
    return found, [each.expected[0] for each in payloads.templates]


def test_known_version(shelf: Path) -> None:
    """scikit-learn's answer is right, another one is wrong, and the sentence has both."""
    known, expected = judge(shelf)
    assert known.knows(1)
    assert known.wrong(1, 0, 5, [expected[0]]) is None
    assert known.wrong(1, 0, 5, [expected[0] + 1]) == (
        f"version 1 answered [{expected[0] + 1}], scikit-learn [{expected[0]}]"
    )


def test_version_of_meanwhile(shelf: Path) -> None:
    """A version that wasn't known is learned: its own answers are right, the old one's are wrong."""
    known, expected = judge(shelf)
    assert not known.knows(2)
    known.learn(2)
    assert known.knows(2)
    assert known.wrong(2, 0, 5, [2 * expected[0]]) is None
    assert known.wrong(2, 0, 5, [expected[0]]) is not None


def test_version_that_is_nowhere(shelf: Path) -> None:
    """A reply of a version that the registry lacks is wrong, whatever it says."""
    known, expected = judge(shelf)
    known.learn(9)
    assert known.knows(9)
    assert "version 9 answered, and can't be checked" in known.wrong(9, 0, 5, [expected[0]])


def test_answers_of_requests_of_several_rows(shelf: Path) -> None:
    """Each request's answers stay together, in the order of its rows."""
    payloads = make_payloads(shelf / "1", rows=3)
    found = answers(shelf / "1", [each.body for each in payloads.templates])
    assert found == [pytest.approx(each.expected) for each in payloads.templates]
    assert {len(each) for each in found if each} == {3}


def test_rows_that_do_not_fit(shelf: Path) -> None:
    """A version that can't take the rows says so, instead of judging."""
    with pytest.raises(Refused, match="can't take the rows that are sent"):
        answers(shelf / "1", [b'{"instances": [[1.0]]}'])
