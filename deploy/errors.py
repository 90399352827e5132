"""The one error of the command line: something that a person can put right."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


class Refused(Exception):  # noqa: N818  # named after what happened
    """A command can't be carried out; the message says why and what would help. Nothing changed."""


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Raise `Refused` where the block may not write into the folder, naming it and the user."""
    try:
        yield
    except OSError as error:
        if error.errno not in FORBIDDEN:
            raise
        raise Refused(
            f"{folder}: user {os.getuid()} can't write there ({error.strerror}). The folder has to be "
            "that user's; in containers FLOTILLA_UID and FLOTILLA_GID say which user it is"
        ) from error
