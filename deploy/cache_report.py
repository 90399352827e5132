"""What replicas do with the prediction cache: models in, a sentence of each replica out.

For `flotilla models`. Each replica decides by its own figures (`service.gate`). Those of the local
stack are all asked; of replicas in containers the one that nginx picks.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import urlopen

import msgspec

from deploy.local.keeper import get
from deploy.local.settings import LocalSettings
from deploy.local.slots import served_sockets

PATIENCE_SECONDS = 1.0

Ask = Callable[[str], str]


class CacheUse(NamedTuple):
    """What one replica says of its cache for one model."""

    model: str
    replica: str
    words: str


def cache_uses(settings: LocalSettings, models: Iterable[str]) -> list[CacheUse]:
    """Return what each replica that answers says of each model; nothing where no stack runs."""
    run = settings.flotilla_home / "run"
    sockets = sorted(served_sockets(run)) if run.is_dir() else []
    replicas: dict[str, Ask] = {
        name.removesuffix(".sock"): lambda path, socket=run / name: get(str(socket), path)[1]  # type: ignore[misc]
        for name in sockets
    } or {"one of them": lambda path: _get(f"{settings.url}{path}")}
    uses = []
    for model in models:
        for replica, ask in replicas.items():
            words = _read(ask(f"/v2/models/{model}"))
            if words:
                uses.append(CacheUse(model, replica, words))
    return uses


def _get(url: str) -> str:
    try:
        with urlopen(url, timeout=PATIENCE_SECONDS) as reply:  # noqa: S310  # the stack's own address
            return str(reply.read().decode())
    except HTTPError as error:
        return str(error)
    except OSError:
        return ""


def _read(metadata: str) -> str:
    try:
        return str(msgspec.json.decode(metadata)["parameters"]["cache"])
    except (msgspec.MsgspecError, LookupError, TypeError):
        return ""  # not a replica's answer, or of one without a cache
