"""How both clients connect: retries, reconnection and message size."""

import json

TIMEOUT_SECONDS = 5.0
"""How long a call may take by default, its retries included."""

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""The longest answer that is read. A batch of 100 lists of 100 abstracts is about 15 MB."""

_SERVICES = ["RecommendationService", "PaperService", "ModelService"]

# gRPC retries by itself (gRFC A6): a fifth more or less than each backoff, and only calls that no
# server has begun to answer. Every method of these services only reads, so a retry repeats nothing.
_SERVICE_CONFIG = {
    "methodConfig": [
        {
            "name": [{"service": f"relatedpapers.v1.{service}"} for service in _SERVICES],
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
    # Below the backoff of the retries: each of them finds a server that came back.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
]
