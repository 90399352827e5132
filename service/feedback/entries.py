"""The body of a feedback request: bytes come in, entries of requests or rows with their labels go out.

    {"feedback": [{"request_id": "…", "labels": [3]}, {"instances": [[…]], "labels": [3]}, …]}

or one entry by itself, whose single row and label may stand without a list:

    {"request_id": "…", "label": 3}        {"instance": […], "label": 3}

Rows are remembered by a hash. Where equal rows are different observations, an `id` of the client's own
tells them apart.
"""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from service.errors import BadInput
from service.feedback.answers import MOST_ID_BYTES
from service.protocols.convert import rows_of
from service.protocols.refusal import refuse
from service.rows import Rows
from service.signature import Signature

Id = Annotated[str, Meta(min_length=1, max_length=MOST_ID_BYTES)]


class Entry(Struct, frozen=True):
    """Labels, and what they are for: the request `request_id`, or else the rows in `rows` as JSON.

    `at` is the entry's place in the body, `named` the member that has the rows.
    """

    at: str
    request_id: str
    id: str
    rows: Raw
    named: str
    labels: list[Any]
    labels_named: str

    def label_at(self, position: int) -> str:
        """Return the place of a label in the body."""
        where = self.at + self.labels_named
        return where if self.labels_named == "label" else f"{where}[{position}]"

    def read_rows(self, signature: Signature) -> Rows:
        """Return the rows, checked against a signature; raise `BadInput` for what doesn't fit."""
        single = self.named == "instance"
        kind = signature.row_type() if single else list[signature.row_type()]  # type: ignore[misc]
        at = self.at + self.named
        try:
            given: Any = msgspec.json.decode(self.rows, type=kind)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            refusal = refuse(error, bytes(self.rows), at=at)
            raise BadInput(f"{refusal}; a row is {signature.describe_row()}") from error
        return rows_of(signature, [given] if single else given)

    def check_count(self, predictions: int) -> None:
        """Raise `BadInput` unless there is a label for each prediction."""
        if len(self.labels) != predictions:
            raise BadInput(
                f"{self.at}{self.labels_named}: expected a label for each of {predictions} rows, "
                f"got {len(self.labels)}"
            )


class _Given(Struct, forbid_unknown_fields=True):
    request_id: Id | UnsetType = UNSET
    id: Id | UnsetType = UNSET
    instances: Raw | UnsetType = UNSET
    instance: Raw | UnsetType = UNSET
    labels: Annotated[list[Any], Meta(min_length=1)] | UnsetType = UNSET
    label: Any = UNSET


class _Body(_Given, forbid_unknown_fields=True):
    feedback: Annotated[list[_Given], Meta(min_length=1)] | UnsetType = UNSET


_decoder = msgspec.json.Decoder(_Body)


def read_entries(body: bytes, most_labels: int) -> list[Entry]:
    """Return the entries of a body, with no more labels than that; raise `BadInput`."""
    try:
        given = _decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise refuse(error, body) from error
    if given.feedback is UNSET:
        entries = [_entry(given, "")]
    else:
        if beside := [name for name in _Given.__struct_fields__ if getattr(given, name) is not UNSET]:
            raise BadInput(f'body: expected nothing beside "feedback", got "{beside[0]}"')
        entries = [_entry(each, f"feedback[{i}].") for i, each in enumerate(given.feedback)]
    if (labels := sum(len(each.labels) for each in entries)) > most_labels:
        raise BadInput(f"body: expected at most {most_labels} labels, got {labels}")
    return entries


def _entry(given: _Given, at: str) -> Entry:
    named = _one_of(given, at, "request_id", "instances", "instance")
    labels_named = _one_of(given, at, "labels", "label")
    if given.id is not UNSET and named == "request_id":
        raise BadInput(f"{at}id: it names rows; a request has its request_id")
    labels = given.labels if labels_named == "labels" else [given.label]
    rows = getattr(given, named) if named != "request_id" else Raw()
    return Entry(at, given.request_id or "", given.id or "", rows, named, labels or [], labels_named)


def _one_of(given: _Given, at: str, *names: str) -> str:
    """Return which of some members an entry has; raise `BadInput` unless it is exactly one."""
    found = [name for name in names if getattr(given, name) is not UNSET]
    if len(found) != 1:
        wanted = ", ".join(f'"{name}"' for name in names)
        came = " and ".join(f'"{name}"' for name in found) or "none"
        raise BadInput(
            f"{at.removesuffix('.') or 'body'}: expected exactly one of {wanted}; got {came}"
        )
    return found[0]
