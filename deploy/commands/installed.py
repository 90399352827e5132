"""What only load tests need: the commands that import it say what to do where it isn't installed."""

from collections.abc import Iterator
from contextlib import contextmanager

from deploy.errors import Refused


@contextmanager
def installed() -> Iterator[None]:
    """Raise `Refused` where the block imports a package, or a folder, that isn't here."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise Refused(
            f"load tests need {error.name}, which isn't installed: `make sweep` installs what they need"
        ) from error
