"""Asking for one prediction from the command line: a row in JSON in, the reply out."""

from collections.abc import Sequence
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import msgspec

from deploy.errors import Refused


def ask(url: str, model: str, row: str, outputs: Sequence[str]) -> str:
    """Return the reply of `model` for one row; raise `Refused` with the server's own words."""
    try:
        body = msgspec.json.encode({"instances": [msgspec.json.decode(row)], "outputs": outputs})
    except msgspec.DecodeError as error:
        raise Refused(f"the row isn't JSON: {error}") from error
    request = Request(  # noqa: S310  # the stack's own address
        f"{url}/v1/models/{model}:predict", body, {"Content-Type": "application/json"}
    )
    try:
        with urlopen(request, timeout=30) as reply:  # noqa: S310
            version, replica = reply.headers["X-Model-Version"], reply.headers["X-Replica"]
            return f"{reply.read().decode()}  (version {version}, {replica})"
    except HTTPError as error:
        raise Refused(f"{error.code}: {error.read().decode()}") from error
    except (URLError, OSError) as error:
        raise Refused(f"{url} doesn't answer: {error}") from error
