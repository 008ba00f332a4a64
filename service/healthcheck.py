"""Ask a running service whether it serves: `python -m service.healthcheck [HOST:PORT]`.

Ends with 0 when grpc.health.v1 says SERVING, otherwise with 1 and one line that says why.
"""

import sys

import grpc
from grpc_health.v1 import health_pb2

DEFAULT_ADDRESS = "127.0.0.1:50051"
_TIMEOUT_SECONDS = 3.0


def check(address: str) -> str:
    """The status of the whole service: SERVING, NOT_SERVING, or why there is none."""
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        call = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = call(health_pb2.HealthCheckRequest(), timeout=_TIMEOUT_SECONDS)
        except grpc.RpcError as error:
            return f"{error.code().name}: {error.details()}"
        return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


def main() -> int:
    """Run the check that the command line asks for."""
    address = sys.argv[1] if len(sys.argv) > 1 else DEFAULT_ADDRESS
    status = check(address)
    if status == "SERVING":
        return 0
    sys.stderr.write(f"{address}: {status}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
