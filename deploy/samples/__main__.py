"""Train and publish the samples that a registry doesn't hold yet: `python -m deploy.samples`."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from deploy.errors import Refused
from deploy.publish import publish
from deploy.routing.routes import activate, routed
from deploy.samples import SAMPLES


def publish_samples(
    registry: Path, names: Sequence[str] = tuple(SAMPLES), say: Callable[[str], None] = click.echo
) -> None:
    """Train, evaluate, publish and route each sample in `names` that has no route yet."""
    from skops.io import dump

    for name in names:
        if routed(registry, name):
            continue
        trained = SAMPLES[name]()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.skops"
            dump(trained.estimator, file)
            manifest = publish(
                registry,
                file,
                trained.name,
                trained.sample,
                description=trained.description,
                metrics=trained.metrics,
                trusted=trained.trusted,
            )
        activate(registry, name, manifest.version, "sample")
        scores = ", ".join(f"{metric} {value:.4g}" for metric, value in trained.metrics.items())
        say(f"published {name} version {manifest.version} ({scores}), engine {manifest.engine}")


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(SAMPLES)))
@click.option(
    "--registry",
    type=click.Path(path_type=Path),
    default=Path(".flotilla/registry"),
    show_default=True,
    help="Folder of models, versions and routes.",
)
def main(names: Sequence[str], registry: Path) -> None:
    """Train and publish the sample models NAMES (all of them by default)."""
    try:
        publish_samples(registry, names or tuple(SAMPLES))
    except Refused as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
