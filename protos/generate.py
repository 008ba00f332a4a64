"""Regenerate the stubs beside their .proto files: `python protos/generate.py [--baseline]`.

`--baseline` also makes the present protos the ones that `buf breaking` compares with: do that for
a release, never to silence it.
"""

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parent
BASELINE = ROOT / "baseline.binpb"
DESCRIPTORS = "descriptors.binpb"


def generate(destination: Path) -> None:
    """Write the messages, their type stubs and the services of every .proto under `destination`,
    and their descriptors with the comments, which the service's own documentation is made of."""
    sources = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("relatedpapers/v*/*.proto"))
    services = [source for source in sources if source.endswith("_service.proto")]
    _protoc([f"--python_out={destination}", f"--pyi_out={destination}", *sources])
    _protoc([f"--grpc_python_out={destination}", *services])
    described = f"--descriptor_set_out={destination / 'relatedpapers' / 'v1' / DESCRIPTORS}"
    _protoc([described, "--include_source_info", *sources])


def _protoc(arguments: list[str]) -> None:
    paths = [f"--proto_path={ROOT}", f"--proto_path={files('grpc_tools') / '_proto'}"]
    if protoc.main(["protoc", *paths, *arguments]) != 0:
        raise SystemExit("protoc refused the .proto files; its message above says where")


if __name__ == "__main__":
    generate(ROOT)
    if "--baseline" in sys.argv[1:]:
        subprocess.run(
            [
                Path(sys.executable).with_name("buf"),
                "build",
                str(ROOT),
                "--exclude-source-info",
                "-o",
                str(BASELINE),
            ],
            check=True,
        )
