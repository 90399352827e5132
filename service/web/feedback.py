"""Feedback: true labels that clients give later; what became of them goes back."""

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from service.errors import BodyTooLarge, MethodNotAllowed
from service.replica import Replica
from service.request import Headers, Target, check_content


def blueprint(replica: Replica) -> Blueprint:
    """Return the route. `service.feedback.entries` says what a body holds."""
    routes = Blueprint("feedback", __name__)
    most_bytes = replica.settings.max_body_bytes

    # GET too, because it would be taken for the metadata of a model with a colon in its name.
    @routes.route("/v1/models/<model>:feedback", methods=["GET", "POST"])
    @routes.route("/v1/models/<model>/versions/<number>:feedback", methods=["GET", "POST"])
    def feedback(model: str, number: str = "") -> ResponseReturnValue:
        if request.method != "POST":
            raise MethodNotAllowed(f"{request.path} takes POST, got {request.method}")
        check_content(_headers(), Target("v1", model, number))
        body = request.stream.read(most_bytes + 1)
        if len(body) > most_bytes or (request.content_length or 0) > most_bytes:
            raise BodyTooLarge(f"body: expected at most {most_bytes} bytes, got more")
        return jsonify(replica.observers.feedback.take(model, number, body)._asdict())

    return routes


def _headers() -> Headers:
    """Return what says how the body is to be read."""
    get = request.headers.get
    return Headers(
        get("Content-Type", "").encode("latin-1"), get("Content-Encoding", "").encode("latin-1")
    )
