"""Beside requests: the interpreter's settings are others in the block alone, however it ends."""

import gc
import sys

import pytest

from service.beside import SWITCH_SECONDS, beside_requests


def settings() -> tuple[bool, float]:
    """Return whether garbage is collected, and the longest turn of a thread."""
    return gc.isenabled(), round(sys.getswitchinterval(), 7)


@pytest.mark.parametrize("error", [None, ValueError, SystemExit])
def test_in_the_block_alone(error: type[BaseException] | None) -> None:
    """Nothing is collected and turns are short in the block; afterwards all is as before."""
    before = settings()
    try:
        with beside_requests():
            assert settings() == (False, SWITCH_SECONDS)
            if error:
                raise error
    except (ValueError, SystemExit) as raised:
        assert type(raised) is error
    assert settings() == before
    assert before[0]
    assert before[1] > SWITCH_SECONDS
