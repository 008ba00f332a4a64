"""What the protos say of each of their names, from the descriptors that `make protos` writes."""

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet

FILE = "descriptors.binpb"

# The numbers of the fields that hold a file's parts, by which source comments are addressed.
_MESSAGES, _ENUMS, _SERVICES = 4, 5, 6
_FIELDS = _METHODS = _VALUES = 2


@cache
def descriptions() -> dict[str, str]:
    """The comment of each message, field, enum, value, service and method, by its full name.

    Lines are joined, paragraphs are not.
    """
    content = files("relatedpapers.v1").joinpath(FILE).read_bytes()
    found: dict[str, str] = {}
    for file in FileDescriptorSet.FromString(content).file:
        comments = {
            tuple(location.path): location.leading_comments
            for location in file.source_code_info.location
            if location.leading_comments
        }
        for name, path in _names(file):
            if comment := comments.get(path):
                found[f"{file.package}.{name}"] = _joined(comment)
    return found


def _names(file: Any) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The names of a file, each with the path of its place there."""
    for part, whole, inner, attribute in (
        (_MESSAGES, file.message_type, _FIELDS, "field"),
        (_ENUMS, file.enum_type, _VALUES, "value"),
        (_SERVICES, file.service, _METHODS, "method"),
    ):
        for place, owner in enumerate(whole):
            yield owner.name, (part, place)
            members: Sequence[Any] = getattr(owner, attribute)
            for index, member in enumerate(members):
                yield f"{owner.name}.{member.name}", (part, place, inner, index)


def _joined(comment: str) -> str:
    paragraphs = comment.strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
