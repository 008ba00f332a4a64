"""The public wire format of Protocol Buffers, as far as it is written by hand."""


def varint(number: int) -> bytes:
    """A length or number, 0 or more: 7 bits a byte, the lowest first."""
    low, high = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(high) if high else bytes([low])
