"""The first requests of a step: they go in until every replica has answered one."""

import time
from collections.abc import Iterable
from http.client import HTTPConnection, HTTPException

from deploy.errors import Refused
from loadtest.payloads import MARK, Payloads, mark
from loadtest.sweep.stack import Stack

PATIENCE_SECONDS = 60.0
REQUEST_SECONDS = 10.0


def wait_for_replies(stack: Stack, payloads: Payloads, names: Iterable[str], first_number: int) -> int:
    """Ask until each of these replicas has answered with 200; return the first number not used.

    Ready isn't enough: nginx has to know a replica as well. Raises `Refused` naming those that don't
    answer, and what the last refused request was told.
    """
    missing, number, said = set(names), first_number, ""
    deadline = time.monotonic() + PATIENCE_SECONDS
    connection = HTTPConnection(stack.address, timeout=REQUEST_SECONDS)
    headers = {"Content-Type": "application/json", "Host": stack.host}
    try:
        while missing and time.monotonic() < deadline:
            template = payloads.templates[number % len(payloads.templates)]
            body = template.body.replace(MARK, mark(number))
            number += 1
            try:
                connection.request("POST", payloads.path, body, headers)
                reply = connection.getresponse()
                text = reply.read().decode(errors="replace")
            except (OSError, HTTPException) as error:
                said = str(error)
                connection.close()
                continue
            if reply.status == 200:
                missing.discard(reply.headers.get("X-Replica", ""))
            else:
                said = f"{reply.status} {text[:200]}"
    finally:
        connection.close()
    if missing:
        raise Refused(
            f"no reply of {', '.join(sorted(missing))} within {PATIENCE_SECONDS:.0f} s"
            + (f"; the last request that failed: {said}" if said else "")
        )
    return number
