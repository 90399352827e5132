"""Health of a replica: alive means the process answers, ready means it holds every routed version.

Redis is no part of it: without the cache a replica is slower, not wrong.
"""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from service.replica import Replica


def blueprint(replica: Replica) -> Blueprint:
    """Return the health routes, ours and the Open Inference Protocol's."""
    routes = Blueprint("health", __name__)

    @routes.get("/health/live")
    @routes.get("/v2/health/live")
    def live() -> ResponseReturnValue:
        return jsonify(live=True)

    @routes.get("/health/ready")
    @routes.get("/v2/health/ready")
    def ready() -> ResponseReturnValue:
        missing = replica.registry.missing()
        return jsonify(ready=not missing, missing=missing), 503 if missing else 200

    return routes
