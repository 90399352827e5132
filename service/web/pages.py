"""Pages for people: the loaded versions come in, a home page with a playground and `/docs` go out."""

import json
import shlex
from dataclasses import dataclass
from inspect import getdoc
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from service.errors import FlotillaError
from service.example import example_rows
from service.manifest import Manifest
from service.protocols.v2_data import DATATYPES
from service.replica import Replica
from service.version import LoadedVersion

SAMPLE_ROWS = 16
SAMPLE_CHARACTERS = 32_768
# Nothing but our own files: a description that slipped through the escaping still couldn't run.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Card:
    """What the pages show of a version: its manifest and a few rows of its sample, as JSON values."""

    manifest: Manifest
    rows: list[Any]

    def playground(self) -> str:
        """Return what the playground's script needs to know, as JSON with columns in their order."""
        signature = self.manifest.signature
        told = {
            "kind": signature.kind,
            "rows": self.rows,
            "inputs": [{"name": each.name, "dtype": each.dtype} for each in signature.inputs],
            "outputs": [each.name for each in signature.outputs],
            "classes": signature.classes,
        }
        return json.dumps(told, ensure_ascii=False)

    def example(self) -> str:
        """Return the first row as JSON."""
        return json.dumps(self.rows[0], ensure_ascii=False)

    def curl_v1(self, origin: str) -> str:
        """Return a command that sends the first row."""
        return _curl(f"{origin}/v1/models/{self.manifest.name}:predict", {"instances": self.rows[:1]})

    def curl_v2(self, origin: str) -> str:
        """Return a command that sends the first row by the Open Inference Protocol."""
        row, signature = self.rows[0], self.manifest.signature
        inputs = [
            {
                "name": each.name,
                "shape": [1, *each.shape[1:]],
                "datatype": DATATYPES[each.dtype],
                "data": [row[each.name] if signature.kind == "table" else row],
            }
            for each in signature.inputs
        ]
        return _curl(f"{origin}/v2/models/{self.manifest.name}/infer", {"inputs": inputs})


def blueprint(replica: Replica) -> Blueprint:
    """Return the routes of the pages."""
    routes = Blueprint("pages", __name__)
    settings, registry = replica.settings, replica.registry
    kept: WeakKeyDictionary[LoadedVersion, Card] = WeakKeyDictionary()

    def render(template: str, **values: Any) -> str:
        cards, waiting = [], {}
        for model, route in registry.routes.items():
            try:
                version = registry.current(model)
                if version not in kept:
                    kept[version] = _card(settings.registry_dir, version)
                cards.append(kept[version])
            # Why it isn't loaded is a matter for /health/ready, and for operators. One that is in
            # memory may have no sample any more, or a damaged one, of which numpy can say anything.
            except Exception:
                waiting[model] = route.primary
        given = {"cards": cards, "waiting": waiting, "routes": registry.routes, "settings": settings}
        return render_template(template, **given, **values)

    @routes.get("/")
    def home() -> ResponseReturnValue:
        return render("home.html")

    @routes.get("/docs")
    def docs() -> ResponseReturnValue:
        errors = sorted(FlotillaError.__subclasses__(), key=lambda error: error.status)
        told = [(error.status, getdoc(error)) for error in errors]
        return render("docs.html", errors=told, origin=request.host_url.rstrip("/"))

    @routes.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = CONTENT_POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-cache"
        return response

    return routes


def _card(registry: Path, version: LoadedVersion) -> Card:
    """Read a version's first sample rows, fewer where they are long."""
    folder = registry / version.name / version.number
    rows = example_rows(folder, version.signature, SAMPLE_ROWS)
    longest = max((len(json.dumps(row)) for row in rows), default=1)
    return Card(version.manifest, rows[: max(1, SAMPLE_CHARACTERS // longest)])


def _curl(url: str, body: Any) -> str:
    """Return a command for a POSIX shell."""
    data = shlex.quote(json.dumps(body, ensure_ascii=False))
    return f"curl {shlex.quote(url)} \\\n  -H 'Content-Type: application/json' \\\n  -d {data}"
