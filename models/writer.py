"""Publishes an artifact: written aside, synced, renamed; the one that serves is never touched."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray

from models.artifact import PAPERS, checksum_of
from models.manifest import CURRENT, MANIFEST, ArtifactError, Manifest
from models.signals import DenseSignal, Signal
from models.strings import SortedStrings


class ArtifactWriter:
    """Gathers the files of one version in a folder aside."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def array(self, name: str, values: NDArray[np.generic]) -> None:
        np.save(self.folder / f"{name}.npy", np.ascontiguousarray(values), allow_pickle=False)

    def strings(self, name: str, strings: SortedStrings) -> None:
        self.array(f"{name}.data", strings.data)
        self.array(f"{name}.offsets", strings.offsets)

    def sparse(self, name: str, matrix: sp.csr_matrix) -> None:
        for part in ("data", "indices", "indptr"):
            self.array(f"{name}.{part}", getattr(matrix, part))
        self.array(f"{name}.shape", np.array(matrix.shape, np.int64))

    def signal(self, name: str, signal: Signal) -> None:
        if isinstance(signal, DenseSignal):
            self.array(name, signal.vectors)
        else:
            self.sparse(name, signal.matrix)
            self.sparse(f"{name}.transposed", signal.transposed)

    def table(self, table: pa.Table) -> None:
        with pa.OSFile(str(self.folder / PAPERS), "wb") as file:
            with pa.ipc.new_file(file, table.schema) as writer:
                writer.write_table(table.combine_chunks())

    def seal(self, manifest: Manifest) -> Manifest:
        """Sync every file, then write the manifest with their checksums and the version."""
        paths = sorted(path for path in self.folder.iterdir())
        for path in paths:
            _sync(path)
        sealed = replace(manifest, files={path.name: checksum_of(path) for path in paths})
        # Through JSON and back, so that the digest is of what a reader will see.
        sealed = Manifest(**json.loads(sealed.to_json()))
        sealed = replace(sealed, version=sealed.digest())
        (self.folder / MANIFEST).write_text(sealed.to_json(), encoding="utf-8")
        _sync(self.folder / MANIFEST)
        _sync(self.folder)
        return sealed


@contextmanager
def publishing(output: Path) -> Iterator[ArtifactWriter]:
    """A writer whose folder is gone afterwards, unless `publish` moved it to its place.

    Raises ArtifactError where the output folder can't be made or written (a full disk, say);
    what it served before is still there.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".writing-", dir=output))
    except OSError as error:
        raise ArtifactError(f"{output}: can't be written ({error.strerror})") from error
    try:
        yield ArtifactWriter(aside)
    except OSError as error:
        raise ArtifactError(
            f"{output}: the artifact could not be written ({error.strerror}); the one before it "
            "is untouched"
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def publish(writer: ArtifactWriter, manifest: Manifest, output: Path) -> Manifest:
    """Move a sealed version to its place and name it in CURRENT, each by one rename."""
    manifest = writer.seal(manifest)
    folder = output / manifest.version
    if not (folder / MANIFEST).exists():  # the same input gives the same version
        os.replace(writer.folder, folder)
        folder.chmod(0o755)
    pointer = output / f".{CURRENT}-{os.getpid()}"
    pointer.write_text(manifest.version + "\n", encoding="utf-8")
    _sync(pointer)
    os.replace(pointer, output / CURRENT)
    _sync(output)
    return manifest


def _sync(path: Path) -> None:
    """Force a file's or folder's content to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
