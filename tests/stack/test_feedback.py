"""Feedback through the door: any replica takes labels, Prometheus shows what was planted."""

import json
import secrets
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from skops.io import dump

from deploy.local.supervisor import wait_until
from tests.stack.ask import Reply, ask
from tests.stack.containers import ComposeStack
from tests.stack.stack import Stack

MODEL = "judged"
REQUESTS, RIGHT, TOGETHER = 200, 160, 10
SIGN = LogisticRegression().fit([[-1.0, 0.0], [1.0, 0.0]], ["no", "yes"])


def publish_sign(stack: Stack, folder: Path) -> None:
    """Publish a model that says whether the first of two numbers is positive."""
    dump(SIGN, folder / "model.skops")
    np.savez(folder / "sample.npz", x=np.array([[-1.0, 0.0], [1.0, 0.0], [2.0, 1.0]]))
    stack.flotilla(
        *("publish", str(folder / "model.skops"), "--name", MODEL, "--metric", "accuracy=0.8"),
        *("--sample", str(folder / "sample.npz")),
    )


def give(stack: Stack, body: object, model: str = MODEL) -> Reply:
    """Give feedback through nginx."""
    return ask(stack.url, "POST", f"/v1/models/{model}:feedback", body)


def figure(stack: Stack, query: str) -> float | None:
    """Return what Prometheus gives for a query, None where there is no series."""
    found = ask(stack.prometheus_url, "GET", f"/api/v1/query?query={quote(query)}").json["data"][
        "result"
    ]
    return float(found[0]["value"][1]) if found else None


def exported(stack: Stack) -> list[dict[str, object]]:
    """Return what is exported of the model."""
    lines = stack.flotilla("feedback", "export", "--model", MODEL, "--format", "jsonl").splitlines()
    return [json.loads(line) for line in lines]


def test_feedback(stack: Stack, tmp_path: Path) -> None:
    """Of 200 answers 80 % are right by their labels: so say Prometheus, the command and the export.

    Labels reach other replicas than the answers came from, count once, and outlive all replicas.
    """
    publish_sign(stack, tmp_path)
    run = secrets.token_hex(4)
    answered: dict[str, tuple[str, str]] = {}
    for number in range(REQUESTS):
        row = [(-1) ** number * (number + 0.5), 1.0]
        reply = ask(
            *(stack.url, "POST", f"/v1/models/{MODEL}:predict", {"instances": [row]}),
            X_Request_ID=f"{run}-{number}",
        )
        assert reply.status == 200, reply.body
        answered[f"{run}-{number}"] = (reply.json["predictions"][0], reply.headers["X-Replica"])
    assert {replica for _, replica in answered.values()} == stack.replicas()

    other = {"yes": "no", "no": "yes"}
    entries = [
        {"request_id": name, "labels": [said if number < RIGHT else other[said]]}
        for number, (name, (said, _)) in enumerate(answered.items())
    ]
    chunks = [entries[i : i + TOGETHER] for i in range(0, REQUESTS, TOGETHER)]
    # What a counter holds when Prometheus first sees it is no growth.
    begun = f'count(count by (replica) (flotilla_feedback_labels_total{{model="{MODEL}"}}))'
    assert wait_until(lambda: figure(stack, begun) == len(stack.replicas()), 30)
    moved = 0
    for chunk in chunks:
        reply = give(stack, {"feedback": chunk})
        assert (reply.status, reply.json["accepted"]) == (200, TOGETHER), reply.body
        moved += sum(answered[each["request_id"]][1] != reply.headers["X-Replica"] for each in chunk)
    assert moved > 0, "every label met the replica that had answered"

    assert give(stack, {"feedback": chunks[0]}).json["duplicate"] == TOGETHER
    late = give(stack, {"request_id": f"{run}-never", "label": "yes"})
    assert (late.status, f"no answer to '{run}-never'" in late.json["error"]) == (404, True)

    query = f'model:flotilla_accuracy:1h{{model="{MODEL}"}}'
    assert wait_until(lambda: abs((figure(stack, query) or 0) - 0.8) < 0.02, 90), figure(stack, query)
    assert figure(stack, f'max(flotilla_model_score{{model="{MODEL}"}})') == 0.8
    counted = f'sum(flotilla_feedback_total{{model="{MODEL}",result="%s"}})'
    assert figure(stack, counted % "accepted") == REQUESTS
    assert figure(stack, counted % "duplicate") == TOGETHER
    assert figure(stack, counted % "unknown_request") == 1

    for name in stack.replicas():
        stack.kill(name)
    reply = give(stack, {"feedback": chunks[0]})
    assert (reply.status, reply.json["duplicate"]) == (200, TOGETHER), reply.body
    corrected = {"request_id": f"{run}-0", "label": other[answered[f"{run}-0"][0]]}
    assert give(stack, corrected).json["corrected"] == 1

    rows = exported(stack)
    assert {row["key"]: row["prediction"] for row in rows} == {
        name: said for name, (said, _) in answered.items()
    }
    assert sum(row["prediction"] == row["label"] for row in rows) == RIGHT - 1
    (shown,) = json.loads(stack.flotilla("feedback", "show", "--model", MODEL, "--json"))
    assert (shown["labels"], shown["corrected"]) == (REQUESTS, 1)
    assert shown["accuracy"] == pytest.approx((RIGHT - 1) / REQUESTS)


def test_feedback_by_row(stack: Stack) -> None:
    """Rows with their labels go to any replica, of any sample; equal ones count once."""
    row = [float(number % 17) for number in range(64)]
    first = give(stack, {"instance": row, "label": 3}, "digits").json
    again = [give(stack, {"instance": row, "label": 3}, "digits").json for _ in range(4)]
    assert first["accepted"] + first["duplicate"] == 1
    assert all(each["duplicate"] == 1 for each in again)
    price = give(stack, {"instances": [{}], "labels": [1]}, "house-prices")
    assert (price.status, "feedback" not in price.json["error"]) == (400, True), price.body


@pytest.mark.parametrize(
    "path", ["/v1/models/digits:feedback", "/v1/models/digits/versions/1:feedback"]
)
def test_the_door_has_its_limits(stack: Stack, path: str) -> None:
    """Feedback is a page to nginx: POST alone, no larger than a prediction, refused in JSON."""
    assert ask(stack.url, "GET", path).status == 405
    large = ask(stack.url, "POST", path, b" " * (5 << 20))
    assert (large.status, "4 MiB" in large.json["error"]) == (413, True)
    assert ask(stack.url, "POST", path, b"1", Content_Type="text/csv").status == 415


@pytest.mark.needs("docker")
def test_feedback_command_in_a_container(docker_stack: ComposeStack) -> None:
    """Hosts without Python have the commands too: they read the volume beside the replicas."""
    assert give(docker_stack, {"instance": [0.0] * 64, "label": 1}, "digits").status == 200
    said = docker_stack.compose("run", "--rm", "flotilla", "feedback", "show", "--json")
    assert "digits" in {each["model"] for each in json.loads(said)}
    table = docker_stack.compose("run", "--rm", "flotilla", "feedback", "export", "--model", "digits")
    assert table.startswith("time,model,version,source,key,position,prediction,label,corrections\n")
