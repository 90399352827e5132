"""Errors of the commands: what the user may not write is a sentence, anything else stays what it is."""

import errno
import os
from pathlib import Path

import pytest

from deploy.errors import FORBIDDEN, Refused, writing

FOLDER = Path("/data/registry")


@pytest.mark.parametrize("number", FORBIDDEN)
def test_forbidden(number: int) -> None:
    """A folder that the user may not write to is named, with the user."""
    with (
        pytest.raises(Refused, match=rf"^{FOLDER}: user {os.getuid()} can't write there"),
        writing(FOLDER),
    ):
        raise OSError(number, os.strerror(number))


def test_other_errors() -> None:
    """A full disk, or a refusal in the block, isn't taken for that."""
    with pytest.raises(OSError, match="No space left"), writing(FOLDER):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(Refused, match="another reason"), writing(FOLDER):
        raise Refused("another reason")


def test_nothing_wrong() -> None:
    """A block that may write is left alone."""
    with writing(FOLDER):
        written = True
    assert written
