"""The catalogue: a registry folder in, what is published there out. For `flotilla models`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from deploy.compile.timing import describe_factor
from service.manifest import BrokenVersion, Manifest, read_manifest
from service.versions.route import ROUTES, Route, read_routes


@dataclass(frozen=True)
class Entry:
    """One version; `manifest` is None where it can't be read, and `problem` says why.

    `role` says what the route makes of it: its share, "pinned", "shadow" or nothing.
    """

    model: str
    version: int
    role: str
    manifest: Manifest | None
    problem: str = ""

    @property
    def active(self) -> bool:
        """Whether clients get it."""
        return self.role not in ("", "shadow")

    def as_json(self) -> dict[str, Any]:
        """Return the entry for machines."""
        entry: dict[str, Any] = {
            "model": self.model,
            "version": self.version,
            "active": self.active,
            "role": self.role,
        }
        if self.manifest is None:
            return {**entry, "problem": self.problem}
        return {
            **entry,
            "created": self.manifest.created,
            "digest": self.manifest.digest,
            "engine": self.manifest.engine,
            "compilation": msgspec.to_builtins(self.manifest.compilation, str_keys=True),
            "metrics": self.manifest.metrics,
        }

    def cells(self) -> tuple[str, ...]:
        """Return the entry for a table."""
        head = (self.model, str(self.version), self.role)
        if self.manifest is None:
            return (*head, "", "", self.problem)
        signature = self.manifest.signature
        row = {"tensor": f"{signature.width} numbers", "text": "text"}.get(
            signature.kind, f"{signature.width} columns"
        )
        scores = ", ".join(f"{name} {value:.4g}" for name, value in self.manifest.metrics.items())
        outputs = ", ".join(each.name for each in signature.outputs)
        created = self.manifest.created[:16].replace("T", " ")
        factor = self.manifest.compilation.factor
        engine = self.manifest.engine
        if engine != "sklearn" and factor:
            engine = f"{engine}, {describe_factor(factor)}x"
        return (*head, created, engine, row, outputs, scores)


def read_catalogue(registry: Path) -> list[Entry]:
    """Return every published version, by model and number."""
    routes = read_routes(registry)
    folders = [
        each
        for each in registry.glob("*/[0-9]*")
        if each.parent.name != ROUTES and each.name.isdecimal()
    ]
    entries = []
    for folder in sorted(folders, key=lambda each: (each.parent.name, int(each.name))):
        model, version = folder.parent.name, int(folder.name)
        role = role_of(routes.get(model), folder.name)
        try:
            entries.append(Entry(model, version, role, read_manifest(folder)))
        except BrokenVersion as error:
            entries.append(Entry(model, version, role, None, str(error)))
    return entries


def role_of(route: Route | None, version: str) -> str:
    """Say what a route makes of a version, in a word."""
    if route is None:
        return ""
    if version in route.weights:
        return f"{route.weights[version]:g} %"
    if version in route.pins.values():
        return "pinned"
    return "shadow" if version == route.shadow else ""
