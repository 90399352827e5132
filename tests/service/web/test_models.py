"""Metadata of models: what the server says of itself."""

from pathlib import Path

from service.replica import Replica
from service.settings import Settings
from service.web import create_app


def test_extensions(tmp_path: Path) -> None:
    """Clients that look for an extension before they use it find it, and none that is there by half."""
    replica = Replica(Settings(registry_dir=tmp_path, replica_name="r-1"))
    told = create_app(replica).test_client().get("/v2").get_json()
    replica._batcher.close()
    assert told["extensions"] == ["binary_tensor_data"]
    assert set(told) == {"name", "version", "extensions"}
