"""The models of this server: the one that serves, and the others in its folder."""

from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from models.artifact import Artifact, versions
from models.manifest import CURRENT, MANIFEST, ArtifactError, Manifest
from service.errors import Reason, ServiceError
from service.recommender import Recommender

KEPT_OPEN = 2
"""How many versions besides the serving one stay open, for lists that were begun with them."""


class Version(NamedTuple):
    """A model in the folder. written_nanoseconds: since 1970, when it came there."""

    manifest: Manifest
    serving: bool
    written_nanoseconds: int


class Catalog:
    """Opens models. `serving` answers every list that begins now."""

    def __init__(self, path: Path, *, verify: bool = True) -> None:
        """Opens the current version of a model folder, or one version's own folder.

        verify: whether its files are compared with their checksums.
        Raises ArtifactError.
        """
        self.serving = Recommender(Artifact.open(path, verify=verify))
        folder = self.serving.artifact.folder
        self._root = folder.parent if (folder.parent / CURRENT).exists() else None
        self._folder = folder
        self._own = Version(
            self.serving.artifact.manifest, True, (folder / MANIFEST).stat().st_mtime_ns
        )
        self._earlier: OrderedDict[str, Recommender] = OrderedDict()
        self._lock = Lock()

    @property
    def written_ms(self) -> int:
        """When the serving model came into its folder: Unix time."""
        return self._own.written_nanoseconds // 1_000_000

    def recommender(self, version: str) -> Recommender:
        """That version, opened if need be. Fails with MODEL_VERSION_GONE."""
        if version == self.serving.artifact.version:
            return self.serving
        with self._lock:
            known = self._earlier.pop(version, None) or self._open(version)
            self._earlier[version] = known
            if len(self._earlier) > KEPT_OPEN:
                self._earlier.popitem(last=False)
            return known

    def rows_now(self, version: str, rows: tuple[int, ...]) -> tuple[int, ...]:
        """Rows of a version as rows of the serving one, without the papers that it does not know.

        Fails with MODEL_VERSION_GONE.
        """
        now = self.serving.artifact
        if version == now.version:
            return rows
        then = self.recommender(version).artifact.papers
        found = (now.papers.row(then.id(row)) for row in rows)
        return tuple(row for row in found if row is not None)

    def versions(self) -> list[Version]:
        """Every model in the folder that this release can read, the newest first.

        The one that serves is among them even when its files were removed: it is mapped.
        """
        found = {self._own.manifest.version: self._own}
        for version in map(self._version, self._folders()):
            if version is not None:
                found[version.manifest.version] = version
        return sorted(
            found.values(),
            key=lambda version: (-version.written_nanoseconds, version.manifest.version),
        )

    def _folders(self) -> list[Path]:
        if self._root is None:
            return [self._folder]
        return [self._root / name for name in versions(self._root)]

    def _version(self, folder: Path) -> Version | None:
        try:
            manifest = Manifest.read(folder)
            written = (folder / MANIFEST).stat().st_mtime_ns
        except (ArtifactError, OSError):  # of another release, or being removed
            return None
        return Version(manifest, manifest.version == self.serving.artifact.version, written)

    def _open(self, version: str) -> Recommender:
        for folder in self._folders():
            if folder.name == version:
                try:
                    return Recommender(Artifact.open(folder))
                except ArtifactError:
                    break
        message = (
            f"This list was made by model {version}, which is no longer there: begin again without "
            "`page_token`."
        )
        raise ServiceError(Reason.MODEL_VERSION_GONE, message, model_version=version)
