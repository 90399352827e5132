"""Pages for people: what this is, and which models it serves."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from service.replica import Replica


def blueprint(replica: Replica) -> Blueprint:
    """Return the routes of the pages."""
    routes = Blueprint("pages", __name__)

    @routes.get("/")
    def home() -> ResponseReturnValue:
        models = [
            held for name in replica.registry.routed for held in replica.registry.versions(name)
        ]
        return render_template("home.html", models=models, replica=replica.settings.replica_name)

    @routes.get("/docs")
    def docs() -> ResponseReturnValue:
        return render_template("docs.html")

    return routes
