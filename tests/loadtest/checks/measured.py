"""Runs that were really measured: a load comes in, the run that the generator makes of it goes out."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loadtest.generator import Outcome, Plan
from loadtest.payloads import Payloads, Template, write
from loadtest.study.study import Run
from tests.needs import PROGRAM_PATH
from tests.running import running
from tests.stack.ask import ask
from tests.stack.stack import free_ports

SUM = Template(b'{"instances": [[1.0, 2.0]]}', [3.0])
RIGHT = b'{"predictions": [3.0]}'
PAYLOADS = Payloads(
    model="sum", version=1, path="/v1/models/sum:predict", unique=False, rows=1, templates=[SUM]
)
HEADERS = {"Content-Type": "application/json", "X-Model-Version": "1", "X-Replica": "a"}


def plan_for(url: str, folder: Path, **how: Any) -> Plan:
    """Return the plan of a load of sums for a server that isn't the stack."""
    path = folder / "payloads"
    write(PAYLOADS, path)
    address = url.removeprefix("http://")
    return Plan(address=address, host=address, payloads=str(path), **how)


def run_of(plan: Plan, outcome: Outcome) -> Run:
    """Return the run that a study would hold, without what the stack says of itself."""
    same = {name: getattr(outcome, name) for name in Run.__struct_fields__ if hasattr(outcome, name)}
    return Run(
        purpose="peak",
        loop=plan.loop,
        repetition=1,
        connections=plan.connections,
        rate=plan.rate,
        **same,
    )


@contextmanager
def quick_server(folder: Path) -> Iterator[str]:
    """Run an nginx that gives the right answer without looking at the question; yield its URL."""
    port = free_ports(1, 21640)[0]
    headers = "".join(f'add_header {name} "{value}";' for name, value in list(HEADERS.items())[1:])
    body = RIGHT.decode()
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log stderr; worker_processes 2; events {{}}"
        f"http {{ access_log off; keepalive_requests 10000000; server {{ listen 127.0.0.1:{port};"
        f"default_type application/json; {headers} location / {{ return 200 '{body}'; }} }} }}"
    )
    nginx = shutil.which("nginx", path=PROGRAM_PATH) or "nginx"
    command = [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    url = f"http://127.0.0.1:{port}"
    with running(command, folder / "log", lambda: _answers(url)):
        yield url


def _answers(url: str) -> bool:
    try:
        return ask(url, "GET", "/").status == 200
    except OSError:
        return False
