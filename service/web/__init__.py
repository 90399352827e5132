"""The Flask application behind the door: pages, docs and metadata, for people and operators."""

from service.web.app import create_app

__all__ = ["create_app"]
