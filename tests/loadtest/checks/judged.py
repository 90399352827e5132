"""What a test of checks says: a sound run, what is wrong with it, and the verdict that it must get."""

from typing import Any

from msgspec.structs import replace

from loadtest.study.study import Finding, Part, Run, Settings, Verdict
from tests.loadtest.studies import make_study

SETTINGS: Settings = make_study().settings


def server(run: Run, **changes: Any) -> Run:
    """Return the run with something else that the stack says of itself."""
    return replace(run, server=replace(run.server, **changes))


def generator(run: Run, **changes: Any) -> Run:
    """Return the run with another use of the generator."""
    return replace(run, generator=replace(run.generator, **changes))


def host(run: Run, **changes: Any) -> Run:
    """Return the run on a machine that did something else."""
    assert run.server.host is not None
    return server(run, host=replace(run.server.host, **changes))


def part(run: Run, name: str, **changes: Any) -> Run:
    """Return the run with another use of one part."""
    parts: dict[str, Part] = dict(run.server.parts or {})
    return server(run, parts={**parts, name: replace(parts[name], **changes)})


def judged(finding: Finding, verdict: Verdict, *words: str) -> None:
    """Fail unless the finding has that verdict and says these words."""
    assert finding.verdict == verdict, finding
    for each in words:
        assert each in finding.text, finding
