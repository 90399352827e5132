"""Commands that change routes: what they print, with which code they exit, and what then holds."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploy.cli import main
from deploy.routing import rollout
from service.versions.route import Route, read_routes
from tests.fakes import FakeReplica
from tests.published import damage, published, tree

# Nobody may listen there (port 1 is one that only root could have opened).
NOBODY = "http://127.0.0.1:1"


class CommandLine:
    """The command line of a registry in which `line` has three versions and no route; no stack runs."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.registry = home / "registry"
        for _ in range(3):
            published(self.registry, "line")

    def run(self, command: str) -> Result:
        """Run a command, given as it would be typed."""
        environ = {"FLOTILLA_HOME": str(self.home), "FLOTILLA_URL": NOBODY, "REPORTS_DIR": None}
        return CliRunner().invoke(main, command.split(), env=environ)

    def done(self, *commands: str) -> str:
        """Run commands that go well and return the last line of the last, its seconds left out."""
        for command in commands:
            result = self.run(command)
            assert result.exit_code == 0, result.output
        return re.sub(r", [0-9.]+ s\)", ")", result.output.splitlines()[-1])

    def refused(self, command: str) -> str:
        """Return the sentence with which a command is refused; it has changed nothing."""
        before = tree(self.registry)
        result = self.run(command)
        assert result.exit_code == 1, result.output
        after = {name: held for name, held in tree(self.registry).items() if name not in before}
        assert set(after) <= {"routes/line/.lock"}
        (sentence,) = result.output.splitlines()
        return sentence.removeprefix("Error: ")

    @property
    def route(self) -> Route:
        """The route in force."""
        return read_routes(self.registry)["line"]


@pytest.fixture
def it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Return a command line for which every version passes its trial, which takes a second."""
    monkeypatch.setattr(rollout, "try_version", lambda folder, seconds: None)
    return CommandLine(tmp_path)


def test_steps_are_said(tmp_path: Path) -> None:
    """A command says each of its steps, and at last what holds now; the trial is a real one."""
    it = CommandLine(tmp_path)
    result = it.run("activate line 1")
    assert re.fullmatch(
        "  opening version 1 on trial\n"
        "  no replica runs: it holds from the next start on\n"
        r"line: version 1 answers everybody; nginx keeps answers \(route 1, [0-9.]+ s\)\n",
        result.output,
    )
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("commands", "said"),
    [
        (["activate line 2"], "version 2 answers everybody; nginx keeps answers (route 1)"),
        (
            ["activate line 2 --no-edge-cache"],
            "version 2 answers everybody; nginx keeps no answers (route 1)",
        ),
        (
            ["activate line 1 --no-edge-cache", "activate line 2"],
            "version 2 answers everybody; nginx keeps no answers (route 2)",
        ),
        (
            ["activate line 1 --no-edge-cache", "activate line 2 --edge-cache"],
            "version 2 answers everybody; nginx keeps answers (route 2)",
        ),
        (
            ["split line 1=89.5 2=10.5"],
            "version 1 answers 89.5 %; version 2 answers 10.5 %; nginx keeps answers (route 1)",
        ),
        (
            ["activate line 1", "split line 1=90 2=10 --pin qa=2 --pin ::1=3"],
            "version 1 answers 90 %; version 2 answers 10 %; key qa gets version 2; "
            "key ::1 gets version 3; nginx keeps answers (route 2)",
        ),
        (
            ["split line 1=90 2=10 --pin qa=2", "split line 1=50 2=50"],
            "version 1 answers 50 %; version 2 answers 50 %; key qa gets version 2; "
            "nginx keeps answers (route 2)",
        ),
        (
            ["split line 1=90 2=10 --pin qa=2", "split line 1=50 2=50 --no-pins"],
            "version 1 answers 50 %; version 2 answers 50 %; no pinned keys any more; "
            "nginx keeps answers (route 2)",
        ),
        (
            ["split line 2=100"],
            "version 2 answers everybody; nginx keeps answers (route 1)",
        ),
        (
            ["activate line 1", "shadow line 2"],
            "version 1 answers everybody; version 2 is its shadow; nginx keeps answers (route 2)",
        ),
        (
            ["activate line 1", "shadow line 2", "shadow line --off"],
            "version 1 answers everybody; no shadow any more; nginx keeps answers (route 3)",
        ),
        (
            ["activate line 1", "shadow line 2", "promote line"],
            "version 2 answers everybody; no shadow any more; nginx keeps answers (route 3)",
        ),
        (
            ["activate line 1", "split line 1=100 --pin qa=2", "promote line"],
            "version 2 answers everybody; no pinned keys any more; nginx keeps answers (route 3)",
        ),
        (
            ["activate line 1", "activate line 2", "rollback line"],
            "version 1 answers everybody; nginx keeps answers (route 3)",
        ),
        (
            ["activate line 1", "split line 1=90 2=10", "rollback line"],
            "version 1 answers everybody; nginx keeps answers (route 3)",
        ),
        (
            ["activate line 1 --no-wait", "activate line 2", "activate line 3", "rollback line"],
            "version 2 answers everybody; nginx keeps answers (route 4)",
        ),
        (
            ["activate line 1", "activate line 2", "activate line 3", "rollback line", "rollback line"],
            "version 1 answers everybody; nginx keeps answers (route 5)",
        ),
    ],
)
def test_what_holds_now(it: CommandLine, commands: list[str], said: str) -> None:
    """The last line says what clients get from now on."""
    assert it.done(*commands) == f"line: {said}"


@pytest.mark.parametrize("command", ["activate line 1", "split line 1=90 2=10"])
def test_reason(it: CommandLine, command: str) -> None:
    """The route remembers the command and the reason."""
    it.done(f"{command} --reason because")
    assert (it.route.command, it.route.reason) == (command.split()[0], "because")


def test_without_waiting(it: CommandLine) -> None:
    """With --no-wait nobody is waited for, and nothing is said of replicas."""
    assert it.run("activate line 1 --no-wait").output.count("\n") == 2
    assert it.route.primary == "1"


def test_a_replica_without_a_door(it: CommandLine) -> None:
    """A replica is waited for where REPORTS_DIR, or the stack's folder, has its report."""
    with FakeReplica(it.registry, it.home / "reports"):
        said = it.run("activate line 1").output
        assert "r1: ready after" in said
        assert f"Error: nginx doesn't answer at {NOBODY} (" in said
        assert read_routes(it.registry) == {}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("activate line 9", "line version 9 can't be served: manifest.json: No such file or directory"),
        (
            "split line 1=90 2=20",
            "the shares have to add up to 100 percent, these make 110",
        ),
        (
            "split line 1=99.99 2=0.01",
            "version 1: its share is 0 to 100 percent in steps of 0.1, got 99.99",
        ),
        ("split line 1", "1: a share is VERSION=PERCENT, each version once"),
        ("split line 1=", "1=: a share is VERSION=PERCENT, each version once"),
        ("split line =100", "=100: a share is VERSION=PERCENT, each version once"),
        ("split line a=100", "a=100: a share is VERSION=PERCENT, each version once"),
        ("split line 01=100", "01=100: a share is VERSION=PERCENT, each version once"),
        ("split line 1=all", "1=all: a share is VERSION=PERCENT, each version once"),
        ("split line 1=nan 2=1", "1=nan: a share is VERSION=PERCENT, each version once"),
        ("split line 1=50 1=50", "1=50: a share is VERSION=PERCENT, each version once"),
        (
            "split line 1=100 --pin qa",
            "--pin qa: expected KEY=VERSION, a key of letters, digits and ._:-",
        ),
        (
            "split line 1=100 --pin a/b=2",
            "--pin a/b=2: expected KEY=VERSION, a key of letters, digits and ._:-",
        ),
        (
            "split line 1=100 --pin =2",
            "--pin =2: expected KEY=VERSION, a key of letters, digits and ._:-",
        ),
        (
            "split line 1=100 --pin qa=new",
            "--pin qa=new: expected KEY=VERSION, a key of letters, digits and ._:-",
        ),
        (
            "split line 1=100 --pin qa=9",
            "line version 9 can't be served: manifest.json: No such file or directory",
        ),
        (
            "shadow line 2",
            "the model has no route yet; make one with: flotilla activate MODEL VERSION",
        ),
        ("promote line", "the model has no route yet; make one with: flotilla activate MODEL VERSION"),
        ("rollback line", "the model has no route yet; make one with: flotilla activate MODEL VERSION"),
    ],
)
def test_refusals(it: CommandLine, command: str, said: str) -> None:
    """What can't be done is one sentence and exit code 1, and nothing changes."""
    assert it.refused(command) == said


def test_refusals_of_a_routed_model(it: CommandLine) -> None:
    """What makes no sense for the route in force is one sentence."""
    it.done("activate line 1")
    assert it.refused("rollback line") == (
        "nothing to go back to: version 1 has answered from the beginning"
    )
    assert it.refused("promote line") == (
        "nothing to promote: version 1 is the only one that the route names"
    )
    assert it.refused("shadow line 1") == (
        "version 1 answers everybody already; a shadow is another version"
    )
    damage(it.registry / "line" / "2" / "model.skops")
    assert it.refused("activate line 2").startswith("line version 2 can't be served: model.skops: ")


@pytest.mark.parametrize(
    "command", ["activate lime 1", "split lime 1=100", "shadow lime 1", "promote lime", "rollback ../x"]
)
def test_unknown_model(it: CommandLine, command: str) -> None:
    """A mistyped model is named."""
    model = command.split()[1]
    assert it.refused(command) == (
        f"no model {model!r} in {it.registry}; flotilla models shows what is published"
    )


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("activate", "Missing argument 'MODEL'."),
        ("activate line", "Missing argument 'VERSION'."),
        ("activate line 0", "Invalid value for 'VERSION': 0 is not in the range x>=1."),
        ("activate line new", "Invalid value for 'VERSION': 'new' is not a valid integer range."),
        (
            "activate line 1 --deadline 0.5",
            "Invalid value for '--deadline': 0.5 is not in the range x>=1.",
        ),
        ("split line", "Missing argument 'VERSION=PERCENT...'."),
        ("shadow line", "say which VERSION is the shadow, or --off"),
        ("shadow line 2 --off", "say which VERSION is the shadow, or --off"),
        ("promote", "Missing argument 'MODEL'."),
        ("rollback line 1", "Got unexpected extra argument (1)"),
    ],
)
def test_wrong_usage(it: CommandLine, command: str, said: str) -> None:
    """What is typed wrong is one sentence below the usage, and exit code 2."""
    before = tree(it.registry)
    result = it.run(command)
    assert result.exit_code == 2
    assert result.output.startswith("Usage: ")
    assert result.output.splitlines()[-1] == f"Error: {said}"
    assert tree(it.registry) == before


@pytest.mark.parametrize("command", ["activate", "split", "shadow", "promote", "rollback"])
def test_help(it: CommandLine, command: str) -> None:
    """Every command that changes a route has the same terms."""
    text = it.run(f"{command} --help").output
    for option in ("--reason", "--deadline", "--new-signature", "--no-wait"):
        assert option in text
