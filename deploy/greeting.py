"""What `flotilla up` prints at the end: a running stack in, addresses and a command to try out."""

from pathlib import Path

import numpy as np

from deploy.local.stack import Stack
from service.manifest import read_manifest
from service.version import SAMPLE
from service.versions.route import read_routes


def greet(stack: Stack) -> str:
    """Return the addresses, and a curl that recognises a hand-written digit."""
    lines = [
        "",
        f"Flotilla serves at {stack.url}  (page, playground and API docs)",
        f"Prometheus         http://127.0.0.1:{stack.settings.prometheus_port}",
        *_alertmanager(stack),
        "Next               flotilla status · scale 4 · logs · publish · down",
    ]
    route = read_routes(stack.registry).get("digits")
    if route is not None:
        folder = stack.registry / "digits" / route.primary
        if read_manifest(folder).signature.kind == "tensor":
            lines += [
                "",
                "Send a hand-written digit, three times: the third answer is nginx's own.",
                "",
            ]
            lines += [curl(stack.url, folder)]
    return "\n".join(lines)


def _alertmanager(stack: Stack) -> list[str]:
    if not (stack.home / "programs" / "alertmanager.conf").exists():
        return []
    return [f"Alertmanager       http://127.0.0.1:{stack.settings.alertmanager_port}"]


def curl(url: str, folder: Path) -> str:
    """Return a command that sends the first row of a version's sample."""
    with np.load(folder / SAMPLE, allow_pickle=False) as arrays:
        row = ",".join(f"{value:g}" for value in arrays["x"][0])
    return (
        f"curl -i {url}/v1/models/digits:predict -H 'Content-Type: application/json' \\\n"
        f"  -d '{{\"instances\": [[{row}]]}}'"
    )
