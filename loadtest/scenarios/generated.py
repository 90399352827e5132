"""Rows of the sample models, made up: what is sent where there is no registry to take them from.

Importing this takes a second or two, so it happens where it is needed.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from sklearn.datasets import load_digits

from deploy.errors import Refused
from deploy.samples.house_prices import CATEGORICAL, NUMERIC, houses
from deploy.samples.movies import SEPARATOR
from deploy.samples.spam import messages
from deploy.samples.viewers import viewing_histories
from loadtest.payloads import MARK

ROWS = 500
# Not the samples' own seed: rows that the models weren't trained on.
SEED = 2718

ROWS_OF: dict[str, Callable[[], list[Any]]] = {
    "digits": lambda: load_digits().data.tolist(),
    "digits-forest": lambda: load_digits().data.tolist(),
    "spam": lambda: messages(ROWS, SEED)[0],
    "house-prices": lambda: houses(ROWS, SEED)[[*NUMERIC, *CATEGORICAL]].to_dict("records"),
    "movies": lambda: [SEPARATOR.join(titles) for titles in viewing_histories(ROWS, SEED)],
}


def bodies(model: str, rows: int) -> list[bytes]:
    """Return requests of so many rows of a sample model, each row with a place for a mark.

    Raises `Refused` where the model isn't one of the samples.
    """
    if model not in ROWS_OF:
        raise Refused(f"no sample {model}; there are {', '.join(ROWS_OF)}")
    texts = [_marked(row) for row in ROWS_OF[model]()]
    starts = range(0, len(texts) - rows + 1, rows)
    return [b'{"instances": [' + b", ".join(texts[at : at + rows]) + b"]}" for at in starts]


def _marked(row: Any) -> bytes:
    """Return a row in JSON; the mark is digits of its first number, or a word of a text."""
    if isinstance(row, str):
        return msgspec.json.encode(f"{row} q{MARK.decode()}")
    cells = row.items() if isinstance(row, dict) else enumerate(row)
    place, value = next((key, cell) for key, cell in cells if isinstance(cell, int | float))
    number = f"{value:.6f}{MARK.decode()}"
    changed = {**row, place: number} if isinstance(row, dict) else [number, *row[1:]]
    return msgspec.json.encode(changed).replace(f'"{number}"'.encode(), number.encode())
