"""What a deleted reader leaves, and when that goes: the answer of DeleteReader."""

from collections.abc import Sequence

from relatedpapers.v1 import feedback_service_pb2 as pb
from service.state_files import FileRewrite, Rewritten

_APPEND_ONLY_FILE = {
    FileRewrite.DONE: "The state server has written its append-only file anew, without the reader.",
    FileRewrite.LATER: "The state server still writes its append-only file anew. What was deleted "
    "is in the old one until then; delete the reader again to wait for it.",
    FileRewrite.FAILED: "The append-only file of the state server, which could not write it anew; "
    "its log says why. What was deleted is in it until it can: delete the reader again to ask.",
    FileRewrite.FORBIDDEN: "The append-only file of the state server, which lets nobody ask for "
    "it to be written anew: what was deleted goes when the server does that itself, each time the "
    "file has doubled.",
}
_SNAPSHOT = {
    FileRewrite.DONE: "The state server has made its snapshot anew, without the reader.",
    FileRewrite.LATER: "The snapshot of the state server, which has not made it anew yet. What was "
    "deleted is in the old one until then; delete the reader again to wait for it.",
    FileRewrite.FAILED: "The snapshot of the state server, which could not make it anew; its log "
    "says why. What was deleted is in it until it can: delete the reader again to ask.",
    FileRewrite.FORBIDDEN: "The snapshot of the state server, if it makes any: it lets nobody ask "
    "for one. What was deleted goes when it makes the next by itself.",
}


def deletion(events: int, files: Rewritten, models: Sequence[str]) -> pb.DeleteReaderResponse:
    """The answer.

    events: how many were deleted.
    files: of the state server.
    models: the versions that were trained on the reader.
    """
    response = pb.DeleteReaderResponse(deleted_event_count=events)
    response.gone.add(
        name="library", description="The reader's whole history, and the library made of it."
    )
    response.gone.add(
        name="log", description="The reader's entries in the feedback log, with their event ids."
    )
    response.gone.add(
        name="trends",
        description="What the reader did, by the hour, as trending papers are made of it.",
    )
    for name, rewrite, descriptions in (
        ("append-only-file", files.append_only_file, _APPEND_ONLY_FILE),
        ("snapshot", files.snapshot, _SNAPSHOT),
    ):
        if rewrite is not FileRewrite.NO_FILE:
            place = response.gone if rewrite is FileRewrite.DONE else response.remaining
            place.add(name=name, description=descriptions[rewrite])
    for version in models:
        response.remaining.add(
            name="model",
            description=f"What model {version} was trained on. The tombstone hides the reader in "
            "it; it goes when the version is removed. The next training leaves the reader out.",
        )
    response.remaining.add(
        name="item-deltas",
        description="What the reader's events changed of papers' factors: numbers, without the "
        "reader's id. The updater computes them again without the reader, within seconds.",
    )
    response.remaining.add(
        name="counters",
        description="How often each paper was shown, read or saved, by all readers together; "
        "never goes.",
    )
    response.remaining.add(
        name="tombstone",
        description="A keyed hash of the reader's id, which keeps models from bringing the reader "
        "back; never goes.",
    )
    response.remaining.add(
        name="digests",
        description="Subscriptions to a digest of this reader's list hold the reader's id. Each "
        "ends at the hour of its next digest, which is not made; it goes 30 days later (90 after "
        "the last mail where the mailbox refused that), or when its subscriber erases it.",
    )
    response.remaining.add(
        name="exports",
        description="Files that `related-papers feedback export` wrote before, and backups, also "
        "of the state server's files: they go when you remove them.",
    )
    return response
