"""Puts the Flask application together: a replica comes in, a WSGI application goes out."""

from typing import Any

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from service.errors import FlotillaError
from service.logs import log_failure
from service.replica import Replica
from service.web import feedback, models, pages, repository
from service.web.scrape import metrics_app


def create_app(replica: Replica) -> Flask:
    """Return the application for one replica."""
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the protocols' own order reads better
    app.url_map.strict_slashes = False  # the protocol's YAML writes /v2/, its Markdown /v2
    for part in (pages, models, feedback, repository):
        app.register_blueprint(part.blueprint(replica))
    app.register_error_handler(FlotillaError, _flotilla_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unforeseen)
    app.after_request(_name_replica(replica.settings.replica_name))
    metrics = metrics_app(replica.metrics.registry, replica.observers.drift.page)
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/metrics": metrics})  # type: ignore[method-assign]
    return app


def _flotilla_error(error: FlotillaError) -> ResponseReturnValue:
    return jsonify(error=error.message), error.status


def _http_error(error: HTTPException) -> ResponseReturnValue:
    return jsonify(error=f"{request.method} {request.path}: {error.name}"), error.code or 500


def _unforeseen(error: Exception) -> ResponseReturnValue:
    log_failure(error, request.headers.get("X-Request-ID", ""))
    return jsonify(error="this page failed; the replica's log says why"), 500


def _name_replica(name: str) -> Any:
    def after_request(response: Any) -> Any:
        response.headers["X-Replica"] = name
        return response

    return after_request
