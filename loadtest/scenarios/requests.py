"""The next request of a scenario, by chance, and what is wrong with its reply: banks in, sentences out.

Knows nothing of Locust: users and arrivals both send what comes from here.
"""

import random
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import msgspec

from deploy.errors import Refused
from loadtest.payloads import MARK, MARKS, mark
from loadtest.scenarios import bad_input
from loadtest.scenarios.bad_input import BAD, Bad, Sent
from loadtest.scenarios.book import Bank
from loadtest.scenarios.scenarios import Asks

NEW_SHARE = 0.8  # of the rows of a mix
BAD_SHARE = 0.5


class Request(NamedTuple):
    """What is sent, by which name it is counted, and what is needed to judge the reply."""

    name: str
    sent: Sent
    bank: Bank
    place: int = 0
    number: int = 0  # 0: others ask for the same
    bad: Bad | None = None


def chooser(asks: Asks, banks: Sequence[Bank]) -> Callable[[], Request]:
    """Return what chooses the next request; raise `Refused` where a model can't be asked this way."""
    if asks == "unique" and (fixed := [bank.model for bank in banks if not bank.unique]):
        raise Refused(f"no row of {', '.join(fixed)} can be made unique; choose another scenario")
    # Zipf's law: the favourite is asked for twice as often as the next one, and so on.
    ranks = {
        bank.model: list(accumulate(1 / (n + 1) for n in range(len(bank.bodies)))) for bank in banks
    }

    def favourite(bank: Bank) -> Request:
        (place,) = random.choices(range(len(bank.bodies)), cum_weights=ranks[bank.model])
        return _request(bank, place, 0)

    def new(bank: Bank) -> Request:
        return _request(bank, random.randrange(len(bank.bodies)), random.randrange(1, MARKS))

    def choose() -> Request:
        bank = random.choice(banks)
        match asks:
            case "favourites":
                return favourite(bank)
            case "unique" | "batch":
                return new(bank)
            case "bad" if random.random() < BAD_SHARE:
                return _bad(new(bank))
        return new(bank) if random.random() < NEW_SHARE else favourite(bank)

    return choose


def version_of(header: str | None) -> int | None:
    """Return the version that X-Model-Version names, None where it names none."""
    return int(header) if header and header.isdecimal() else None


def wrong(request: Request, status: int, version: int | None, content: bytes) -> str | None:
    """Return what is wrong with a reply, None for a right one; the version is known to the bank."""
    if request.bad is not None:
        return bad_input.wrong(request.bad, request.bank.model, status, content)
    if status != 200:
        return f"status {status}: {content[:200].decode(errors='replace')}"
    if version is None:
        return "no version in X-Model-Version"
    try:
        predictions: Any = msgspec.json.decode(content)["predictions"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return f"no predictions in {content[:120]!r}"
    return request.bank.answers.wrong(version, request.place, request.number, predictions)


def _request(bank: Bank, place: int, number: int) -> Request:
    if not bank.unique:
        number = 0
    body = bank.bodies[place].replace(MARK, mark(number))
    return Request(bank.path, Sent(bank.path, body), bank, place, number)


def _bad(request: Request) -> Request:
    bad = random.choice(BAD)
    sent = bad.make(request.sent.path, request.sent.body)
    return request._replace(name=f"bad input: {bad.kind}", sent=sent, bad=bad)
