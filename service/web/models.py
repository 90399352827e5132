"""Metadata of models, as the V1 and V2 protocols show it."""

from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from service import __version__
from service.protocols.v2_data import DATATYPES
from service.replica import Replica
from service.signature import Tensor
from service.version import LoadedVersion

EXTENSIONS = ["binary_tensor_data"]  # of the Open Inference Protocol


def blueprint(replica: Replica) -> Blueprint:
    """Return the metadata routes. An unknown model is a 404, one that isn't loaded a 503."""
    routes = Blueprint("models", __name__)
    registry = replica.registry

    def find(model: str, number: str | None) -> LoadedVersion:
        if number is None:
            return registry.current(model)
        return registry.get(model, number, routed=False)

    @routes.get("/v1/models")
    @routes.get("/v2/models")
    def index() -> ResponseReturnValue:
        return jsonify(models=list(registry.routes))

    @routes.get("/v1/models/<model>")
    @routes.get("/v1/models/<model>/versions/<number>")
    def v1_model(model: str, number: str | None = None) -> ResponseReturnValue:
        return jsonify(name=find(model, number).name, ready=True)

    @routes.get("/v2")
    def server() -> ResponseReturnValue:
        return jsonify(name="flotilla", version=__version__, extensions=EXTENSIONS)

    @routes.get("/v2/models/<model>")
    @routes.get("/v2/models/<model>/versions/<number>")
    def v2_model(model: str, number: str | None = None) -> ResponseReturnValue:
        found = find(model, number)
        return jsonify(
            name=found.name,
            versions=[each.number for each in registry.versions(model)],
            platform=f"flotilla_{found.engine.name}",
            inputs=[_tensor(each) for each in found.signature.inputs],
            outputs=[_tensor(each) for each in found.signature.outputs],
            parameters={
                "version": found.number,
                "digest": found.manifest.digest,
                "description": found.manifest.description,
                "row": found.signature.describe_row(),
                "classes": list(found.signature.classes),
                "metrics": found.manifest.metrics,
                "cache": found.gate.describe() if replica.cached else "off: no Redis",
            },
        )

    @routes.get("/v2/models/<model>/ready")
    @routes.get("/v2/models/<model>/versions/<number>/ready")
    def v2_ready(model: str, number: str | None = None) -> ResponseReturnValue:
        return jsonify(name=find(model, number).name, ready=True)

    return routes


def _tensor(each: Tensor) -> dict[str, Any]:
    return {"name": each.name, "datatype": DATATYPES[each.dtype], "shape": list(each.shape)}
