"""The two searches: they find what is there, with few measurements."""

import pytest

from loadtest.sweep.search import NOTCHES, highest, saturating


def test_saturating_finds_the_fewest_connections() -> None:
    """Doubling ends where it gains nothing, and the fewest that give all are taken."""
    asked: list[int] = []

    def achieved(connections: int) -> float:
        asked.append(connections)
        return min(100.0 * connections, 3000.0)

    assert saturating(achieved, 8, 1024) == 32
    assert asked == [8, 16, 32, 64]


def test_saturating_takes_what_it_may_have() -> None:
    """A server that wants more than the most gets the most."""
    assert saturating(lambda connections: 10.0 * connections, 8, 64) == 64


def test_saturating_when_more_are_worse() -> None:
    """Where a second crowd only gets in the way, the first number stands."""
    assert saturating(lambda connections: 1000.0 / connections, 8, 1024) == 8


def test_saturating_of_a_server_that_answers_nothing() -> None:
    """Without a reply there is nothing to compare: the first number is as good as any."""
    assert saturating(lambda connections: 0.0, 8, 1024) == 8


@pytest.mark.parametrize("guess", [1, 6, 14, 20])
@pytest.mark.parametrize("limit", range(NOTCHES + 1))
def test_highest_finds_every_notch(limit: int, guess: int) -> None:
    """Whatever is guessed, the highest that passes is found, none is asked twice, and few are."""
    asked: list[int] = []

    def passes(notch: int) -> bool:
        asked.append(notch)
        return notch <= limit

    assert highest(passes, guess) == limit
    assert len(asked) == len(set(asked)) <= 9
    assert all(1 <= notch <= NOTCHES for notch in asked)


def test_a_good_guess_is_cheap() -> None:
    """The right guess costs two measurements: itself, and the one above."""
    asked: list[int] = []
    assert highest(lambda notch: asked.append(notch) or notch <= 14, 14) == 14
    assert asked == [14, 15]
