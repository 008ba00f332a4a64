"""Whether an artifact is as it was written. Loads nothing that takes time, so that a server checks
its model while all else is loaded: hashing leaves the interpreter's lock."""

import os
from concurrent.futures import ThreadPoolExecutor
from mmap import ACCESS_READ, mmap
from pathlib import Path

from xxhash import xxh3_128_hexdigest

from models.manifest import CURRENT, MANIFEST, ArtifactError, Manifest


def verified(path: Path) -> Path:
    """The folder of the version to serve, every file of which has its checksum.

    path: a model folder, or one version's own. Raises ArtifactError.
    """
    folder = version_folder(path)
    verify(folder, Manifest.read(folder))
    return folder


def version_folder(path: Path) -> Path:
    """The folder of the version to serve. Raises ArtifactError."""
    if (path / MANIFEST).exists():
        return path
    try:
        version = (path / CURRENT).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise ArtifactError(
            f"{path}: neither a {MANIFEST} nor a {CURRENT} file; expected the output folder of "
            "`related-papers train`"
        ) from error
    if not version or "/" in version or not (path / version).is_dir():
        raise ArtifactError(f"{path / CURRENT}: names {version!r}, which is not there")
    return path / version


def verify(folder: Path, manifest: Manifest) -> None:
    """Compare every file with its checksum. Raises ArtifactError."""
    if manifest.version != manifest.digest():
        raise ArtifactError(f"{folder / MANIFEST}: was changed after training; train it again")
    paths = [folder / name for name in manifest.files]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, checksum in zip(paths, pool.map(checksum_of, paths), strict=True):
            if checksum != manifest.files[path.name]:
                raise ArtifactError(
                    f"{path}: does not match its checksum; the file was damaged. Restore it from a "
                    "copy or train the model again"
                )


def checksum_of(path: Path) -> str:
    """XXH3 of a file, 32 hexadecimal digits. Raises ArtifactError where it can't be read.

    It finds damage at a fifth of what SHA-256 costs, which would be half a second of both cores at
    each start; it is no defence against somebody who may write the folder, nor would another be.
    """
    try:
        with path.open("rb") as file:
            if not os.fstat(file.fileno()).st_size:  # which nothing can map
                return xxh3_128_hexdigest(b"")
            # In one go: a thread that reads piece by piece waits for the lock after each of them.
            with mmap(file.fileno(), 0, access=ACCESS_READ) as content:
                return xxh3_128_hexdigest(content)
    except OSError as error:
        raise ArtifactError(f"{path}: can't be read ({error.strerror}); train it again") from error
