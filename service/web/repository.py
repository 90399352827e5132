"""The repository index: which versions of which models there are, and what this replica makes of each.

Triton's extension of the Open Inference Protocol ("model_repository"), without loading and unloading:
what a replica holds follows from the routes alone.
"""

from pathlib import Path

import msgspec
from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from msgspec import Struct

from service.errors import BadInput
from service.replica import Replica
from service.versions.registry import VersionState
from service.versions.route import NAME, ROUTES


class Asked(Struct, forbid_unknown_fields=True):
    """The body of a request: whether only versions that could answer are wanted."""

    ready: bool = False


def blueprint(replica: Replica) -> Blueprint:
    """Return the route of the index."""
    routes = Blueprint("repository", __name__)

    @routes.post("/v2/repository/index")
    def index() -> ResponseReturnValue:
        try:
            asked = msgspec.json.decode(request.data, type=Asked) if request.data else Asked()
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadInput(f"body: {error}") from error
        states = with_published(replica.settings.registry_dir, replica.registry.states())
        return jsonify([_entry(each) for each in states if each.state == "READY" or not asked.ready])

    return routes


def _entry(state: VersionState) -> dict[str, str]:
    """Return a state in the extension's own words."""
    return {
        "name": state.model,
        "version": state.version,
        "state": state.state,
        "reason": state.reason,
    }


def with_published(registry: Path, states: list[VersionState]) -> list[VersionState]:
    """Return states with those of published versions that nothing wants loaded."""
    known = {(each.model, each.version) for each in states}
    found = [
        VersionState(folder.parent.name, folder.name, "UNAVAILABLE", "no route names it")
        for folder in registry.glob("*/[0-9]*")
        if NAME.fullmatch(folder.parent.name)
        and folder.parent.name != ROUTES
        and folder.name.isdecimal()
    ]
    added = [each for each in found if (each.model, each.version) not in known]
    return sorted([*states, *added], key=lambda each: (each.model, int(each.version)))
