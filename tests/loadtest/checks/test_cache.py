"""Caches: unique rows are answered by models."""

import pytest
from msgspec.structs import replace

from loadtest.checks.cache import check_cache
from loadtest.study.study import Verdict
from tests.loadtest.checks.judged import SETTINGS, judged
from tests.loadtest.studies import make_run

RUN = make_run(500)


@pytest.mark.parametrize(
    ("by_cache", "verdict"),
    [
        ({"miss": 5000}, "ok"),
        ({"miss": 4960, "redis": 40}, "ok"),
        ({"bypass": 4800, "edge": 100, "redis": 100}, "marked"),
        ({"bypass": 2000, "partial": 3000}, "refused"),
    ],
)
def test_unique_rows(by_cache: dict[str, int], verdict: Verdict) -> None:
    """What caches answered of unique rows says that they weren't."""
    judged(check_cache(replace(RUN, by_cache=by_cache), SETTINGS), verdict)


def test_repeats() -> None:
    """Of repeats caches are to answer what they can."""
    run = replace(RUN, by_cache={"edge": 4000, "bypass": 1000})
    settings = replace(SETTINGS, shape="repeats")
    judged(check_cache(run, settings), "ok", "80 % of the requests (edge 4,000)")


def test_no_word_of_it() -> None:
    """Replies without the header leave it unknown."""
    judged(check_cache(replace(RUN, by_cache={}), SETTINGS), "ok", "unknown")
