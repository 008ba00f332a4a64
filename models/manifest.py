"""What an artifact says of itself, and the errors that refuse a bad one."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

FORMAT_VERSION = 6
MANIFEST = "manifest.json"
CURRENT = "CURRENT"


class ArtifactError(Exception):
    """An artifact that can't be trusted or written: what is wrong, where, what to do."""


@dataclass(frozen=True)
class Manifest:
    """`manifest.json`. `version` is a digest of everything else in it.

    `corpus`: papers, citations, readers, saves, external_references, undirected, first_year,
    last_year, sha256, notes. `terms`: name, kind (`pair`, `popularity` or `seed`) and description
    of each contribution.
    `evaluation`: figures of the inner split. `files`: XXH3 of each file, hexadecimal.
    """

    format_version: int
    version: str
    seed: int
    parameters: dict[str, Any]
    corpus: dict[str, Any]
    terms: list[dict[str, str]]
    blend: dict[str, Any]
    evaluation: dict[str, Any]
    libraries: dict[str, str]
    files: dict[str, str]

    def digest(self) -> str:
        """What `version` must be: 12 hexadecimal digits over every other field."""
        content = asdict(self) | {"version": ""}
        encoded = json.dumps(content, sort_keys=True).encode()
        return hashlib.sha256(encoded).hexdigest()[:12]

    def to_json(self) -> str:
        """The file's text; equal manifests give equal texts."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Raises ArtifactError where it is missing, damaged, or of another format."""
        path = folder / MANIFEST
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ArtifactError(
                f"{folder}: no {MANIFEST}; expected an artifact that `related-papers train` wrote"
            ) from error
        except (OSError, ValueError) as error:
            raise ArtifactError(f"{path}: can't be read ({error}); train it again") from error
        if not isinstance(content, dict) or not isinstance(content.get("format_version"), int):
            raise ArtifactError(f"{path}: names no format version; train it again")
        if content["format_version"] != FORMAT_VERSION:
            raise ArtifactError(
                f"{path}: format {content['format_version']}, but this release reads format "
                f"{FORMAT_VERSION}; update Related Papers or train the model again"
            )
        if missing := {each.name for each in fields(cls)} - set(content):
            raise ArtifactError(f"{path}: lacks {', '.join(sorted(missing))}; train it again")
        return cls(**{each.name: content[each.name] for each in fields(cls)})
