"""Beside requests: the interpreter's settings are others in the block alone, however it ends."""

import gc
import sys

import pytest

from service.versions.beside import SWITCH_SECONDS, beside_requests


def settings() -> tuple[bool, float]:
    """Return whether garbage is collected, and the longest turn of a thread."""
    return gc.isenabled(), round(sys.getswitchinterval(), 7)


def test_in_the_block_alone() -> None:
    """Nothing is collected and turns are short in the block; afterwards all is as before."""
    before = settings()
    assert before[0]
    assert before[1] > SWITCH_SECONDS
    with beside_requests():
        assert settings() == (False, SWITCH_SECONDS)
    assert settings() == before


@pytest.mark.parametrize("error", [ValueError, SystemExit])
def test_a_failure(error: type[BaseException]) -> None:
    """However loading fails, all is as before."""
    before = settings()
    with pytest.raises(error), beside_requests():
        raise error
    assert settings() == before
