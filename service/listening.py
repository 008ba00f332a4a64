"""An address that can't be listened on."""


class ListenError(OSError):
    """The message says why in one sentence. option: the option that chooses another port."""

    def __init__(self, address: str, option: str) -> None:
        super().__init__(
            f"{address} cannot be listened on: another program has the port, or the address is "
            f"not this machine's. Choose another with {option} or --host."
        )
