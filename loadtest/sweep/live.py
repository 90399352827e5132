"""Which version answers for a model: a registry's folder comes in, the version's number goes out."""

from pathlib import Path

from deploy.errors import Refused
from service.versions.route import ROUTES, read_route


def live_version(registry: Path, model: str) -> str:
    """Return the version that answers everybody.

    Raises `Refused` where the model has no route, or several versions answer: then no figure would be
    one version's.
    """
    try:
        route = read_route(registry / ROUTES / model)
    except (OSError, ValueError) as error:
        raise Refused(
            f"no model {model!r} is served; `flotilla models` shows those that are"
        ) from error
    if not route.settled or route.shadow:
        versions = ", ".join(sorted({*route.answering, route.shadow} - {""}, key=int))
        raise Refused(
            f"{model} is answered by versions {versions} together; a sweep measures one alone: "
            "`flotilla promote` or `flotilla rollback` first"
        )
    return route.primary
