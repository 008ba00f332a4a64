"""How both clients connect: retries, reconnection, message size and the API key."""

import json
from abc import ABC, abstractmethod
from typing import Generic, TypeVar

import grpc

Channel = TypeVar("Channel")

TIMEOUT_SECONDS = 5.0
"""How long a call may take by default, its retries included."""

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""The longest answer that is read. A batch of 100 lists of 100 abstracts is about 15 MB."""

_METHODS = {
    "RecommendationService": [""],  # every method
    "PaperService": [""],
    "ModelService": [""],
    "FeedbackService": ["WriteFeedback", "ExportReader", "DeleteReader"],  # a stream resumes itself
    "DigestService": [  # no Subscribe: each try may bring a mail, and counts against the limits
        *("ConfirmSubscription", "GetSubscription", "UpdateSubscription"),
        *("Unsubscribe", "EraseSubscription"),
    ],
}

# gRPC retries by itself (gRFC A6): a fifth more or less than each backoff, and only calls that no
# server has begun to answer. Each method reads, deletes, writes events that have ids, or brings a
# subscription into one state, so a retry repeats nothing.
_SERVICE_CONFIG = {
    "methodConfig": [
        {
            "name": [
                {"service": f"relatedpapers.v1.{service}", "method": method}
                for service, methods in _METHODS.items()
                for method in methods
            ],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.2s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}

OPTIONS: list[tuple[str, str | int]] = [
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
    ("grpc.max_receive_message_length", MAX_ANSWER_BYTES),
    # A request longer than this buffer would not be retried; a full batch of events is 1 MiB.
    ("grpc.per_rpc_retry_buffer_size", 4 * 1024 * 1024),
    # Below the backoff of the retries: each of them finds a server that came back. The minimum is
    # left alone: gRPC also takes it for the time that making a connection may take.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    # A stream whose server hangs, or whose network is gone without a word, breaks in half a minute.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
]


class Connection(ABC, Generic[Channel]):
    """A connection to one Related Papers service.

    target: host and port, or any other gRPC target.
    timeout_seconds: how long a call may take, its retries included, unless the call says otherwise.
    credentials: TLS; without, the connection is plain text, for a service on this machine.
    api_key: what the service knows this program by; on loopback it asks for none unless told to.
    """

    def __init__(
        self,
        target: str = "127.0.0.1:50051",
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        credentials: grpc.ChannelCredentials | None = None,
        api_key: str = "",
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._metadata = (("authorization", f"Bearer {api_key}"),) if api_key else ()
        self._channel = self._open(target, credentials)

    @abstractmethod
    def _open(self, target: str, credentials: grpc.ChannelCredentials | None) -> Channel: ...

    def _timeout(self, seconds: float | None) -> float:
        return self._timeout_seconds if seconds is None else seconds
