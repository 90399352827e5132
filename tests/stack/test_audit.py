"""All counts add up to the request: what a client sent, what nginx says, what replicas say, Prometheus.

After scaling, a replica's restart and an activation, with requests of every kind. First of the stack's
tests by its name: a replica that one of the others has killed leaves no last words.
"""

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from deploy.local.supervisor import wait_until
from loadtest.client import Load, Payload
from loadtest.result import Result
from tests.stack.ask import ask
from tests.stack.lines import publish_line
from tests.stack.stack import Stack

NAME = "audited"
PATH = f"/v1/models/{NAME}:predict"
RATE = 200.0
STEP_SECONDS = 3.0
SCRAPE_SECONDS = 5.0


def rows(*firsts: float) -> bytes:
    """Return the body of a request for so many rows."""
    return json.dumps({"instances": [[first, 1.0] for first in firsts]}).encode()


def payloads() -> list[Payload]:
    """Return requests of every kind: unique, repeated, batches, and each way to be refused."""
    v2 = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [5, 6]}]}
    odd = itertools.cycle(
        [
            Payload(b"{", path=PATH),
            Payload(b'{"instances": [[1]]}', path=PATH),
            Payload(rows(1), path="/v1/models/nobody:predict"),
            Payload(rows(1), path=f"/v1/models/{NAME}/versions/9:predict"),
            Payload(rows(1), path=f"/v1/models/{NAME}/versions/1:predict"),
            Payload(rows(1), path="/v1/models/no%20name:predict"),
            Payload(rows(2), path=f"//v1/./models/{NAME}:predict"),
            Payload(rows(3), path=PATH, headers={"Cache-Control": "no-cache"}),
            Payload(json.dumps(v2).encode(), path=f"/v2/models/{NAME}/infer"),
        ]
    )
    made = []
    for number in range(1000):
        made += [
            Payload(rows(number + 0.5), path=PATH),
            Payload(rows(-1 - number % 20), path=PATH),
            Payload(rows(-1 - number % 20), path=PATH),
            Payload(rows(*range(number % 5), number + 0.25), path=PATH),
            next(odd),
        ]
    made[250::500] = [Payload(b" " * (5 << 20), path=PATH)] * len(made[250::500])
    return made


class Client:
    """Notes what a client sees of its requests, whatever they were answered with."""

    def __init__(self) -> None:
        self.sources: Counter[str] = Counter()
        self.rows = 0

    def check(
        self, payload: Payload, status: int, headers: Mapping[str, str], body: bytes
    ) -> str | None:
        """Count a reply by who gave it; none is wrong but those of a stack that fails."""
        by_edge = headers.get("x-cache") == "edge"
        replica = headers.get("x-replica")
        self.sources["edge" if by_edge else "replica" if replica else "nginx"] += 1
        if status == 200 and not by_edge:
            reply = json.loads(body)
            self.rows += len(reply.get("predictions") or reply["outputs"][0]["data"])
        return f"status {status}: {body!r}" if status >= 500 or status == 429 else None


class Sums:
    """What an audit says, summed up: `found` is its JSON."""

    def __init__(self, found: dict) -> None:
        self.verdict = found["verdict"]
        self.requests = Counter(found["requests"])
        self.attempts = Counter(found["attempts"])
        told = [each for each in found["replicas"] if each["state"] != "silent"]
        self.replicas = sum(each["requests"] for each in told)
        self.rows = sum(each["rows"] for each in told)
        self.cache_rows = sum(each["cache_rows"] for each in told)
        self.ended = sum(each["state"] == "ended" for each in told)


def operate_under_load(stack: Stack, client: Client) -> Result:
    """Scale up, activate, restart a replica and scale down while a client asks for everything."""
    load = Load(stack.url, 12, RATE, payloads(), client.check)

    def restart() -> None:
        with stack.stopped(min(stack.replicas())):
            pass

    async def operate() -> None:
        async with load:
            for operation in (
                lambda: stack.scale(3),
                lambda: stack.flotilla("activate", NAME, "2"),
                restart,
                lambda: stack.scale(2),
            ):
                await asyncio.sleep(STEP_SECONDS)
                await asyncio.to_thread(operation)
            await asyncio.sleep(STEP_SECONDS)

    asyncio.run(operate())
    return load.result


def caught_up(stack: Stack) -> bool:
    """Tell whether Prometheus has seen all that the door has counted."""
    (door,) = (each for each in stack.audit()["findings"] if each["what"].endswith("job door"))
    return door["found"] == door["high"]


def scraped(stack: Stack, name: str, since: float) -> float:
    """Return by how much a counter has grown since a Unix time, of what Prometheus saw of it.

    Its own `increase` guesses what lies between two looks; here only what it saw counts. Where a value
    falls a replica has begun anew, at 0.
    """
    seconds = int(time.time() - since + 2 * SCRAPE_SECONDS)
    reply = ask(stack.prometheus_url, "GET", f"/api/v1/query?query={quote(f'{name}[{seconds}s]')}")
    grown = 0.0
    for series in reply.json["data"]["result"]:
        grown += sum(steps([(when, float(value)) for when, value in series["values"]], since))
    return grown


def steps(samples: Sequence[tuple[float, float]], since: float) -> list[float]:
    """Return by how much each sample is more than the one before; a series that is new began at 0."""
    found = [samples[0][1]] if samples[0][0] > since else []
    for (_, before), (_, value) in itertools.pairwise(samples):
        found.append(value - before if value >= before else value)
    return found


def test_everything_adds_up(stack: Stack, tmp_path: Path) -> None:
    """Sent = door = edge + nginx + replicas, and rows = hits + misses + the rest, to the last one."""
    for slope in (1, 2):
        publish_line(stack, tmp_path, NAME, slope)
    # Prometheus takes what it sees for the first time for new.
    assert wait_until(lambda: caught_up(stack), 30, 1)
    before, began, client = Sums(stack.audit()), time.time(), Client()
    result = operate_under_load(stack, client)
    assert result.failed == 0, result.failures
    assert len(result.by_replica) >= 4, "three replicas, and nginx itself"
    assert result.by_status.keys() == {200, 400, 404, 413}
    after = Sums(stack.audit())
    assert after.verdict == before.verdict

    # `activate` looks from outside: one row, past the edge cache.
    sent, client.rows = result.sent + 1, client.rows + 1
    client.sources["replica"] += 1
    requests = after.requests - before.requests
    assert requests["door"] == sent
    assert {name: requests[name] for name in ("edge", "replica", "nginx")} == client.sources
    assert min(client.sources.values()) > 10
    answered = after.attempts["answered"] - before.attempts["answered"]
    assert after.replicas - before.replicas == answered >= client.sources["replica"]
    assert after.ended - before.ended == 2, "one restarted, one no longer wanted"
    assert after.rows - before.rows == after.cache_rows - before.cache_rows == client.rows

    # What a replica answered between Prometheus' last look and its end is in its last words alone.
    missed = 2 * 2 * SCRAPE_SECONDS * RATE

    def seen() -> bool:
        door = scraped(stack, "flotilla_door_requests_total", began)
        replicas = scraped(stack, "flotilla_requests_total", began)
        return door == sent and answered - missed <= replicas <= answered

    assert wait_until(seen, 20, 1), (scraped(stack, "flotilla_requests_total", began), answered)


def test_nobody_counts_for_a_while(stack: Stack) -> None:
    """Without the door's counter nginx serves; once it is back, killed or not, nothing is missing."""
    before = Sums(stack.audit()).requests["door"]

    def asked(times: int) -> None:
        for _ in range(times):
            assert ask(stack.url, "POST", PATH, rows(0.75)).status == 200

    def counted() -> int:
        """Return what the door has counted since, -1 where it doesn't answer yet."""
        try:
            return Sums(stack.audit()).requests["door"] - before
        except AssertionError:
            return -1

    with stack.stopped("door"):
        asked(20)
    assert wait_until(lambda: counted() == 20, 30, 1)
    asked(5)
    stack.kill("door")
    asked(5)
    assert wait_until(lambda: counted() == 30, 30, 1)


def test_a_request_past_nginx_is_noticed(stack: Stack) -> None:
    """A request that nginx knows nothing of makes the audit fail, and it says what it is."""
    assert stack.audit()["verdict"] == "ok"
    stack.ask_directly(min(stack.replicas()), "/v1/models/digits:predict", b"{}")
    found = stack.audit(expect=1)
    (first, second) = (each for each in found["findings"] if each["verdict"] != "ok")
    assert first["what"] == "requests that replicas answered"
    assert "1 more than nginx handed on: somebody asked a replica directly" in first["why"]
    assert second["what"] == "of digits/1 with 400"
