"""What only containers have: ports, rights, images, volumes, and the engine's own commands."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from deploy.local.supervisor import wait_until
from tests.published import line, saved
from tests.stack.ask import ask
from tests.stack.containers import DEBIAN_IMAGES, ROOT, ComposeStack, docker, healthy, inspect
from tests.stack.stack import scraped
from tests.stack.test_door import SAMPLES
from tests.stack.test_faults import load
from tests.stack.traffic import assert_nothing_lost, under_load

pytestmark = pytest.mark.needs("docker")


def service_of(container: str) -> str:
    """Return the service that a container is of."""
    return inspect(container)["Config"]["Labels"]["com.docker.compose.service"]


def test_up_from_nothing(docker_stack: ComposeStack) -> None:
    """With an empty registry, `up` trained each sample once; another `up` trains none."""
    assert docker_stack.compose("logs", "samples").count("published") == len(SAMPLES)
    docker_stack.up()
    assert docker_stack.compose("logs", "samples").count("published") == len(SAMPLES)
    for model in SAMPLES:
        versions = [each.name for each in (docker_stack.registry / model).glob("[0-9]*")]
        assert versions == ["1"], model


def test_only_the_door_and_prometheus_are_published(docker_stack: ComposeStack) -> None:
    """No port of Redis, a replica or an exporter is published; those that are, on 127.0.0.1 alone."""
    published = {}
    for container in docker_stack.containers():
        for inside, outside in inspect(container)["NetworkSettings"]["Ports"].items():
            for each in outside or ():
                address = f"{each['HostIp']}:{each['HostPort']}"
                published.setdefault(service_of(container), []).append((inside, address))
    assert published == {
        "nginx": [("8080/tcp", f"127.0.0.1:{docker_stack.http_port}")],
        "prometheus": [("9090/tcp", f"127.0.0.1:{docker_stack.prometheus_port}")],
        "alertmanager": [("9093/tcp", f"127.0.0.1:{docker_stack.alertmanager_port}")],
    }


def test_replicas_and_redis_have_no_way_out(docker_stack: ComposeStack) -> None:
    """Replicas and Redis are in the inner network alone, which leads nowhere."""
    for container in (*docker_stack.replicas(), docker_stack.container("redis")):
        networks = inspect(container)["NetworkSettings"]["Networks"]
        assert list(networks) == [f"{docker_stack.project}_back"]
    assert json.loads(docker("network", "inspect", *networks))[0]["Internal"]


def test_rights(docker_stack: ComposeStack) -> None:
    """Every container: not root, no capability, no way to get one, a root that can't be written."""
    containers = docker_stack.containers()
    assert {service_of(each) for each in containers} == {
        "nginx", "door", "service", "samples", "redis", "prometheus", "alertmanager", "nginx-exporter",
        "redis-exporter",
    }  # fmt: skip
    for container in containers:
        found = inspect(container)
        host, name = found["HostConfig"], found["Name"]
        assert found["Config"]["User"].split(":")[0] not in ("", "0", "root"), name
        assert host["ReadonlyRootfs"], name
        assert (host["CapDrop"], host["CapAdd"], host["Privileged"]) == (["ALL"], None, False), name
        assert host["SecurityOpt"] == ["no-new-privileges:true"], name


def test_docker_kill(docker_stack: ComposeStack) -> None:
    """A replica, Redis and Prometheus killed by hand: no request fails, and `up` brings them back."""
    killed = [
        min(docker_stack.replicas()),
        docker_stack.container("redis"),
        docker_stack.container("prometheus"),
    ]

    def fault() -> None:
        docker("kill", *killed)
        docker_stack.up()
        assert all(healthy(inspect(container)["State"]) for container in killed)

    result, _, _ = under_load(load(docker_stack), 3, fault)
    assert_nothing_lost(result)
    after, _, _ = under_load(load(docker_stack), 2, lambda: None)
    assert set(after.by_replica) == docker_stack.replicas()
    assert after.by_cache["redis"] > 0
    assert wait_until(lambda: scraped(docker_stack) == ["up", "up"], 30)


def roll(stack: ComposeStack, expect: int) -> str:
    """Run deploy/roll and return what it said."""
    done = stack.run("deploy/roll", expect=expect)
    return done.stdout + done.stderr


def new_image(stack: ComposeStack, tag: str, line: str) -> str:
    """Make an image of the service's with one more line in its Dockerfile, and return its id."""
    recipe = f"FROM {stack.project}/service\n{line}\n"
    docker("build", "--tag", f"{stack.project}/service:{tag}", "-", stdin=recipe)
    stack.settings["SERVICE_IMAGE"] = f"{stack.project}/service:{tag}"
    return docker("image", "inspect", "--format", "{{.Id}}", f"{stack.project}/service:{tag}").strip()


def test_roll(docker_stack: ComposeStack) -> None:
    """`deploy/roll` replaces all replicas by ones of a new image under load: no request fails."""
    old, image = docker_stack.replicas(), new_image(docker_stack, "new", "ENV NEW=1")
    result, _, _ = under_load(load(docker_stack), 3, lambda: roll(docker_stack, expect=0))
    assert_nothing_lost(result)
    new = docker_stack.replicas()
    assert (len(new), new & old) == (2, set())
    assert set(result.by_replica) == old | new
    assert {inspect(container)["Image"] for container in new} == {image}


def test_roll_to_a_broken_image(docker_stack: ComposeStack) -> None:
    """If the new image doesn't start, `deploy/roll` says so and the old replicas go on serving."""
    settings, old = dict(docker_stack.settings), docker_stack.replicas()
    said: list[str] = []
    new_image(docker_stack, "broken", 'CMD ["python", "-c", "raise SystemExit(\'no licence\')"]')
    try:
        result, _, _ = under_load(
            load(docker_stack), 1, lambda: said.append(roll(docker_stack, expect=1))
        )
    finally:
        docker_stack.settings = settings
    assert_nothing_lost(result)
    assert "no licence" in said[0]
    assert "the old ones serve" in said[0]
    assert docker_stack.replicas() == set(result.by_replica) == old


def test_down_and_up(tmp_path: Path) -> None:
    """In volumes, as by default: after `down` and `up` what was routed answers; none is trained.

    Commands run in a container as well: they find replicas, nginx and Prometheus there.
    """
    file = saved(line(2.0), tmp_path / "mine")
    (file.parent / "sample.jsonl").write_text("[1, 2]\n[3, 4]\n")
    run = ("run", "--rm", "--volume", f"{file.parent}:/models:ro", "flotilla")
    publish = ("publish", "/models/model.skops", "--name", "mine", "--sample", "/models/sample.jsonl")
    with ComposeStack(REGISTRY="registry", REPORTS="reports", REPLICAS="1") as stack:
        for _ in range(2):
            stack.compose(*run, *publish)
        said = stack.compose(*run, "activate", "mine", "2")
        assert re.search(r"[0-9a-f]{12}: ready after .*\nmine: version 2 answers everybody", said), said
        stack.compose("down")
        assert stack.containers() == []
        stack.up()
        assert "published" not in stack.compose("logs", "samples")
        for model in (*SAMPLES, "mine"):
            assert ask(stack.url, "GET", f"/v2/models/{model}/ready").status == 200, model
        reply = ask(stack.url, "POST", "/v1/models/mine:predict", {"instances": [[1, 2]]})
        assert (round(reply.json["predictions"][0], 6), reply.headers["X-Model-Version"]) == (6.0, "2")


OFFICIAL = {
    "nginx", "redis", "prom/prometheus", "grafana/grafana", "nginx/nginx-prometheus-exporter",
    "oliver006/redis_exporter", "prom/alertmanager",
}  # fmt: skip


@pytest.mark.parametrize("env_file", [os.devnull, DEBIAN_IMAGES], ids=["official", "debian"])
def test_compose_file_is_valid(env_file: object) -> None:
    """The compose file is valid with the official images, all pinned, and with those of Debian."""
    command = ["docker", "compose", "--env-file", str(env_file), "config", "--images"]
    clean = {name: os.environ[name] for name in ("PATH", "HOME")}
    done = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, check=True)
    images = set(done.stdout.split()) - {"flotilla/service"}
    if env_file == os.devnull:
        assert {image.partition(":")[0] for image in images} == OFFICIAL
        assert all(re.search(r":v?\d+\.\d+\.\d+", image) for image in images), images
    else:
        assert all(image.startswith("flotilla-debian/") for image in images), images
