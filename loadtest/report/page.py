"""The page: tables and plots in, one HTML file out that needs nothing else, not even a network."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parent / "templates"


def render(template: str, **values: Any) -> str:
    """Return a page; every text in it is escaped, whatever a study holds."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template(template).render(values)
