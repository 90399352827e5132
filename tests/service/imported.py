"""What a replica's code imports for some versions, seen in a process of its own."""

import subprocess
import sys
from pathlib import Path

ASK = """
import sys
from pathlib import Path
import service.asgi
from service.version import SAMPLE, load_version, read_sample
for folder in map(Path, sys.argv[2:]):
    version = load_version(folder)
    rows = read_sample(folder / SAMPLE, version.signature, 20)
    for output in version.signature.outputs:
        assert len(version.engine.run(rows, (output.name,))[output.name]) == 20
print(*sorted(set(sys.argv[1].split()) & set(sys.modules)))
"""
HEAVY = "sklearn pandas scipy skops joblib onnx skl2onnx"


def imported_by(*folders: Path, packages: str = HEAVY) -> list[str]:
    """Return which of the packages a replica's code has imported once it has answered all outputs."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, packages, *map(str, folders)],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()
