"""The artifact: a folder of arrays that are mapped, not loaded, and a manifest to trust it by.

<model>/CURRENT             the version to serve
<model>/<version>/manifest.json
<model>/<version>/papers.arrow
<model>/<version>/first_pages.arrow
<model>/<version>/*.npy     named after what they hold: signals.text.indptr.npy
<model>/<version>/search.*  the search index
"""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray

from models.blend import Blend
from models.drafts import DraftEncoder
from models.first_pages import FirstPages
from models.manifest import MANIFEST, ArtifactError, Manifest
from models.neighbors import Scorer, StoredNeighbors
from models.papers import PaperIndex, Papers
from models.readers import ReaderModel
from models.search_index import open_index
from models.searcher import Searcher
from models.shared_neighbors import BY
from models.signals import DenseSignal, Signal, SparseSignal
from models.strings import SortedStrings
from models.verification import verified, version_folder

PAPERS = "papers.arrow"
FIRST_PAGES = "first_pages.arrow"


class Artifact:
    """One version of a model, ready to answer. Opening maps files; pages load as they are read.

    `version`: the digest that names it.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self.version = manifest.version

    @classmethod
    def open(cls, path: Path, *, verify: bool = True) -> "Artifact":
        """Open the current version of a model folder, or one version's own folder.

        `verify` compares every file with its checksum first. Raises ArtifactError.
        """
        folder = verified(path) if verify else version_folder(path)
        return cls(folder, Manifest.read(folder))

    @cached_property
    def blend(self) -> Blend:
        """The model of a score."""
        return Blend.from_json(self.manifest.blend)

    @cached_property
    def index(self) -> PaperIndex:
        """From every spelling of an id to its row."""
        return PaperIndex(self.strings("ids"), self.array("ids.rows"))

    @cached_property
    def papers(self) -> Papers:
        """What is known of each paper."""
        return Papers(_table(self.folder / PAPERS), self.index)

    @cached_property
    def first_pages(self) -> FirstPages:
        """The first page of each paper's list."""
        return FirstPages(_table(self.folder / FIRST_PAGES)["page"].chunks)

    @cached_property
    def scorer(self) -> Scorer:
        """What answers for related papers."""
        signals = {name: self._signal(f"signals.{name}") for name in self.blend.signals}
        near_by = BY if "shared_neighbors" in signals else ()
        citations = self.sparse("citations")
        return Scorer(
            signals=signals,
            blend=self.blend,
            features=self.array("features"),
            encoder=DraftEncoder(
                self.strings("vocabulary"),
                self.array("idf"),
                self.array("components"),
                self.index,
                self.strings("external"),
                self.array("reference_weight"),
                self.strings("authors"),
                self._sparse_signal("signals.text"),
                self.array("signals.latent"),
                self.sparse("steps"),
                {name: self._signal(f"signals.{name}") for name in near_by},
                int(self.manifest.corpus["last_year"]),
            ),
            neighbors=StoredNeighbors(
                self.array("neighbors.rows"),
                self.array("neighbors.logits"),
                self.array("neighbors.contributions"),
            ),
            citations=citations,
            cited_by=self.sparse("cited_by"),
            undirected=bool(self.manifest.corpus["undirected"]),
            year=self.papers.year,
            recent_popular=self.array("recent_popular"),
        )

    @cached_property
    def searcher(self) -> Searcher:
        """What answers queries. Raises ArtifactError."""
        return Searcher(open_index(self.folder), self.papers.work, self.papers.row)

    @cached_property
    def readers(self) -> SortedStrings:
        """The readers that training knew, in the order of `libraries`; none without events."""
        return self.strings("readers")

    @cached_property
    def libraries(self) -> sp.csr_matrix:
        """float32 CSR, readers x papers: signed weights."""
        return self.sparse("libraries")

    @cached_property
    def reader_model(self) -> ReaderModel | None:
        """What ranks papers for readers; None in a model that was trained without events."""
        if not self.has("readers.weights"):
            return None
        return ReaderModel(
            text=self.sparse("signals.text"),
            smoothed_text=self.array("readers.smoothed_text"),
            item_factors=self.array("readers.item_factors"),
            saves=self.array("readers.saves"),
            weights=self.array("readers.weights"),
        )

    def array(self, name: str) -> NDArray[Any]:
        """The array of that name, memory-mapped and read-only."""
        path = self.folder / f"{name}.npy"
        try:
            # A plain array over the same pages: indexing the memmap class costs ten times as much.
            return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
        except (OSError, ValueError) as error:
            raise ArtifactError(f"{path}: can't be mapped ({error}); train it again") from error

    def has(self, name: str) -> bool:
        """Whether there is an array of that name."""
        return f"{name}.npy" in self.manifest.files

    def strings(self, name: str) -> SortedStrings:
        """The sorted strings of that name, memory-mapped."""
        return SortedStrings(self.array(f"{name}.data"), self.array(f"{name}.offsets"))

    def sparse(self, name: str) -> sp.csr_matrix:
        """The CSR matrix of that name, its three arrays memory-mapped."""
        data, indices, indptr, shape = (
            self.array(f"{name}.{part}") for part in ("data", "indices", "indptr", "shape")
        )
        matrix = sp.csr_matrix(tuple(shape.tolist()), dtype=data.dtype)
        # Assigned, not passed: the constructor would copy and check them.
        matrix.data, matrix.indices, matrix.indptr = data, indices, indptr
        return matrix

    def _signal(self, name: str) -> Signal:
        if self.has(name):
            return DenseSignal(self.array(name))
        return self._sparse_signal(name)

    def _sparse_signal(self, name: str) -> SparseSignal:
        return SparseSignal(self.sparse(name), self.sparse(f"{name}.transposed"))


def versions(path: Path) -> list[str]:
    """Names of the complete versions in a model folder, sorted."""
    return sorted(folder.parent.name for folder in path.glob(f"[!.]*/{MANIFEST}"))


def _table(path: Path) -> pa.Table:
    try:
        return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except (OSError, pa.ArrowInvalid) as error:
        raise ArtifactError(f"{path}: can't be mapped ({error}); train it again") from error
