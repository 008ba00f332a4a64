"""The address that a request came from, as gRPC writes it."""


def peer(client: tuple[str, int] | None) -> str:
    """`ipv4:192.0.2.1:50000`, `ipv6:[2001:db8::1]:50000`; empty where the server does not know."""
    if client is None:
        return ""
    host, port = client
    return f"ipv6:[{host}]:{port}" if ":" in host else f"ipv4:{host}:{port}"
