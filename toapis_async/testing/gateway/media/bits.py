"""Bits into bytes, the first bit highest, with the codes that picture and film formats use."""


class BitWriter:
    """Collects bits."""

    def __init__(self) -> None:
        self._bits: list[str] = []

    def number(self, value: int, width: int) -> "BitWriter":
        """Add a number in so many bits; of a width of zero nothing."""
        if width:
            self._bits.append(f"{value:0{width}b}")
        return self

    def golomb(self, *values: int) -> "BitWriter":
        """Add unsigned exponential-Golomb codes, as H.264 writes its numbers."""
        for value in values:
            digits = f"{value + 1:b}"
            self._bits.append("0" * (len(digits) - 1) + digits)
        return self

    def filled(self, filler: str) -> bytes:
        """All of it as bytes, the last one filled with ``0`` or ``1``."""
        text = "".join(self._bits)
        text += filler * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8) if text else b""
