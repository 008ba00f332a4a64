"""Publishes an artifact: written aside, synced, renamed; the one that serves is never touched.

<model>/.writing-*   a version being written; its writer holds a lock on it, so that one whose
                     writer was killed is known by its lock being free
"""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray

from models.artifact import FIRST_PAGES, PAPERS, Artifact
from models.manifest import CURRENT, MANIFEST, ArtifactError, Manifest
from models.papers import venue_codes
from models.progress import Advance
from models.search_index import write_index
from models.signals import DenseSignal, Signal
from models.strings import SortedStrings
from models.verification import checksum_of

WRITING = ".writing-"


class ArtifactWriter:
    """Gathers the files of one version in a folder aside."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def array(self, name: str, values: NDArray[np.generic]) -> None:
        """`name`.npy."""
        np.save(self.folder / f"{name}.npy", np.ascontiguousarray(values), allow_pickle=False)

    def strings(self, name: str, strings: SortedStrings) -> None:
        """Both arrays of sorted strings."""
        self.array(f"{name}.data", strings.data)
        self.array(f"{name}.offsets", strings.offsets)

    def sparse(self, name: str, matrix: sp.csr_matrix) -> None:
        """The three arrays of a CSR matrix, and its shape."""
        for part in ("data", "indices", "indptr"):
            self.array(f"{name}.{part}", getattr(matrix, part))
        self.array(f"{name}.shape", np.array(matrix.shape, np.int64))

    def signal(self, name: str, signal: Signal) -> None:
        """A signal, with its postings if it is sparse."""
        if isinstance(signal, DenseSignal):
            self.array(name, signal.vectors)
        else:
            self.sparse(name, signal.matrix)
            self.sparse(f"{name}.transposed", signal.transposed)

    def table(self, table: pa.Table) -> None:
        """The papers, as an Arrow file."""
        path = str(self.folder / PAPERS)
        with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table.combine_chunks())

    def first_pages(self, pages: Iterable[pa.BinaryArray]) -> None:
        """The first page of each paper's list, as an Arrow file of many batches."""
        path, schema = str(self.folder / FIRST_PAGES), pa.schema([("page", pa.binary())])
        with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, schema) as writer:
            for block in pages:
                writer.write_batch(pa.record_batch([block], schema))

    def search_index(self, table: pa.Table, advance: Advance) -> None:
        """The search index of the papers."""
        write_index(self.folder, table, venue_codes(table)[0], advance=advance)

    def seal(self, manifest: Manifest) -> Manifest:
        """Sync every file, then write the manifest with their checksums and the version."""
        paths = sorted(self.folder.iterdir())
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

    Folders that killed writers left behind are removed. Raises ArtifactError where the output
    folder can't be made or written (a full disk, say); what it served before is still there.
    """
    # Named before it is made, so that an interrupt between the two leaves nothing behind.
    aside = output / f"{WRITING}{secrets.token_hex(8)}"
    try:
        with ExitStack() as held:
            with _explained(f"{output}: can't be written ({{}})"):
                output.mkdir(parents=True, exist_ok=True)
                with _locked(output):
                    _remove_leftovers(output)
                    aside.mkdir(mode=0o700)
                    held.enter_context(_locked(aside))
            untouched = "the artifact could not be written ({}); the one before it is untouched"
            with _explained(f"{output}: {untouched}"):
                yield ArtifactWriter(aside)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def _explained(sentence: str) -> Iterator[None]:
    """Raises ArtifactError for an OSError: the sentence with the reason in place of `{}`."""
    try:
        yield
    except OSError as error:
        # numpy counts the bytes that it could not write, and does not say why.
        reason = error.strerror or f"the disk may be full: {error}"
        raise ArtifactError(sentence.replace("{}", reason)) from error


def publish(writer: ArtifactWriter, manifest: Manifest, output: Path) -> Manifest:
    """Move a sealed version to its place and name it in CURRENT, each by one rename."""
    manifest = writer.seal(manifest)
    folder = output / manifest.version
    with _locked(output):
        if not _is_whole(folder):  # the same input gives the same version
            if folder.exists():
                folder.replace(writer.folder.with_name(f"{writer.folder.name}-damaged"))
            writer.folder.replace(folder)
            folder.chmod(0o755)
            _remove_leftovers(output)
        pointer = output / f".{CURRENT}.writing"
        pointer.write_text(manifest.version + "\n", encoding="utf-8")
        _sync(pointer)
        pointer.replace(output / CURRENT)
        _sync(output)
    return manifest


def _is_whole(folder: Path) -> bool:
    try:
        return Artifact.open(folder).folder == folder
    except ArtifactError:
        return False


def _remove_leftovers(output: Path) -> None:
    """Remove what killed writers were writing. The output folder is locked."""
    for folder in output.glob(f"{WRITING}*"):
        try:
            free = _lock(folder, wait=False)
        except OSError:  # its writer is at work
            continue
        shutil.rmtree(folder, ignore_errors=True)
        os.close(free)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = _lock(folder)
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(folder: Path, *, wait: bool = True) -> int:
    """An open descriptor that holds a lock on the folder; the system frees it with the process."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _sync(path: Path) -> None:
    """Force a file's or folder's content to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
