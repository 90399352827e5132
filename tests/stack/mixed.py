"""Traffic of all kinds at once, and what operators do meanwhile: everything that dashboards show."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sklearn.datasets import load_digits

from deploy.samples.house_prices import CATEGORICAL, NUMERIC, houses
from deploy.samples.movies import SEPARATOR
from deploy.samples.spam import messages
from deploy.samples.viewers import viewing_histories
from tests.stack.ask import ask
from tests.stack.stack import Stack

ROWS, SEED = 400, 31415
CLIENTS = 4
PAUSE_SECONDS = 0.03
# Of a thousand requests.
WRONG, UNKNOWN, BATCHES, FEEDBACK = 20, 10, 100, 300


Known = dict[str, tuple[list[Any], list[Any]]]


def rows_and_labels() -> Known:
    """Return rows for each sample model, and what is true of them, where that is known."""
    pixels, digits = load_digits(return_X_y=True)
    sold = houses(ROWS, SEED)
    digit_rows = (pixels[:ROWS].tolist(), digits[:ROWS].tolist())
    return {
        "digits": digit_rows,
        "digits-forest": digit_rows,
        "spam": messages(ROWS, SEED),
        "house-prices": (sold[[*NUMERIC, *CATEGORICAL]].to_dict("records"), sold["price_eur"].tolist()),
        "movies": ([SEPARATOR.join(titles) for titles in viewing_histories(ROWS, SEED)], []),
    }


@contextmanager
def mixed_load(url: str) -> Iterator[None]:
    """Send single rows, many of them twice, batches, wrong requests and true labels, until it ends."""
    known, over = rows_and_labels(), threading.Event()
    clients = [threading.Thread(target=_send, args=(url, known, seed, over)) for seed in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield
    finally:
        over.set()
        for client in clients:
            client.join()


def operate(stack: Stack) -> None:
    """Publish second versions: one gets a share of the requests, the other shadows."""
    for name in ("digits", "house-prices"):
        first = stack.registry / name / "1"
        sample = next(first.glob("sample.*"))
        words = ("publish", str(first / "model.skops"), "--name", name, "--sample", str(sample))
        stack.flotilla(*words, "--trust-type", "sklearn.tree._tree.Tree")
    stack.flotilla("split", "digits", "1=70", "2=30")
    stack.flotilla("shadow", "house-prices", "2")


def _send(url: str, known: Known, seed: int, over: threading.Event) -> None:
    chance = random.Random(seed)
    while not over.wait(PAUSE_SECONDS):
        model = chance.choice(list(known))
        rows, labels = known[model]
        # The square prefers the first ones: some rows are asked for again and again.
        index = int(len(rows) * chance.random() ** 2)
        of_thousand, given = chance.randrange(1000), [rows[index]]
        if of_thousand < WRONG:
            given = [[None]]
        elif of_thousand < WRONG + UNKNOWN:
            model = "nobody"
        elif of_thousand < WRONG + UNKNOWN + BATCHES:
            given = chance.sample(rows, 16)
        path, client = f"/v1/models/{model}", f"client-{chance.randrange(200)}"
        reply = ask(url, "POST", f"{path}:predict", {"instances": given}, X_Client_ID=client)
        if labels and reply.status == 200 and len(given) == 1 and chance.randrange(1000) < FEEDBACK:
            # Asked of a replica or kept by nginx: the row tells which one it is.
            label = {"instance": rows[index], "label": labels[index], "id": f"{seed}-{chance.random()}"}
            ask(url, "POST", f"{path}:feedback", label, X_Client_ID=client)
