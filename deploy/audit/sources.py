"""Where counts are read: the door's counter, each live replica, and the files of those that ended.

On this machine replicas are at ports that follow each other, in containers at the addresses of a name.
"""

import socket
from collections.abc import Iterator
from http.client import HTTPException
from urllib.parse import urlsplit
from urllib.request import urlopen

from deploy.audit.books import Book, Door
from deploy.errors import Refused
from deploy.local.settings import LocalSettings
from service.counting.last_words import read_lives

PATIENCE_SECONDS = 5.0
# Replicas and the door start together, and not in the same moment.
TOGETHER_SECONDS = 60.0


def read_door(settings: LocalSettings) -> Door:
    """Return what nginx has counted; raise `Refused` where its counter can't be asked."""
    try:
        return Door.read(_get(f"{settings.door}/metrics")[0])
    except (OSError, HTTPException, ValueError) as error:
        raise Refused(
            f"the door's counter doesn't answer at {settings.door}: {error}. "
            "DOOR_URL or DOOR_PORT say where it is"
        ) from error


def read_live(settings: LocalSettings) -> list[Book]:
    """Return the books of the replicas that answer; one that doesn't has ended, or is about to."""
    books = []
    for url in addresses(settings):
        try:
            _, name = _get(f"{url}/health/live")
            text, _ = _get(f"{url}/metrics")
        except (OSError, HTTPException):
            continue
        books.append(Book.of_live(name, text))
    return books


def read_ended(settings: LocalSettings, live: list[Book], since: float) -> list[Book]:
    """Return the books of replicas that have ended since a Unix time, those without a word as well."""
    known = {(book.replica, book.started) for book in live}
    return [
        Book.of_life(life)
        for life in read_lives(settings.reports)
        if (life.replica, life.started) not in known
        and (life.ended or life.started + TOGETHER_SECONDS) > since
    ]


def addresses(settings: LocalSettings) -> Iterator[str]:
    """Yield where each replica shows its metrics; raise `Refused` where a name has no address."""
    if not settings.replicas_url:
        for program in (settings.flotilla_home / "programs").glob("replica-*.conf"):
            number = int(program.stem.rpartition("-")[2])
            yield f"http://127.0.0.1:{settings.replica_port + number - 1}"
        return
    parts = urlsplit(settings.replicas_url)
    try:
        _, _, found = socket.gethostbyname_ex(parts.hostname or "")
    except OSError as error:
        raise Refused(f"REPLICAS_URL={settings.replicas_url}: no replica there: {error}") from error
    for address in found:
        yield f"http://{address}:{parts.port or 80}"


def _get(url: str) -> tuple[str, str]:
    """Return the text at a URL and the name of the replica that gave it, if one did."""
    with urlopen(url, timeout=PATIENCE_SECONDS) as reply:  # noqa: S310  # a setting's address
        return reply.read().decode(), reply.headers.get("X-Replica", "")
