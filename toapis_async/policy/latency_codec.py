"""What a latency law remembers, as one line of text for the journal."""

from collections.abc import Mapping

_MARK = "v1"


def print_cells(cells: Mapping[tuple[int, int], float], unit: float) -> str:
    """Write intervals with their weights, in fresh observations."""
    body = ",".join(f"{low}-{high}:{weight / unit:.3g}" for (low, high), weight in sorted(cells.items()))
    return f"{_MARK} {body}"


def parse_cells(text: str, bins: int) -> dict[tuple[int, int], float]:
    """Read what ``print_cells`` wrote, leaving out what makes no sense."""
    mark, _, body = text.partition(" ")
    if mark != _MARK:
        return {}
    cells: dict[tuple[int, int], float] = {}
    for word in body.split(","):
        try:
            ends, weight_text = word.split(":")
            low_text, high_text = ends.split("-")
            low, high, weight = int(low_text), int(high_text), float(weight_text)
        except ValueError:
            continue
        if 0 <= low < high <= bins and 0.0 < weight < 1e6:
            cells[low, high] = weight
    return cells
