"""What a latency law knows, as one line of text for the journal."""

from collections.abc import Sequence

_MARK = "v1"
_LEAST = 0.005  # completions; less is not written
_MOST = 1e4  # completions; more is nonsense


def print_weights(weights: Sequence[float]) -> str:
    """Write how many completions each bin stands for: the first bin's number, then the weights from there."""
    known = [k for k, weight in enumerate(weights) if weight >= _LEAST]
    if not known:
        return f"{_MARK} 0"
    first, last = known[0], known[-1] + 1
    return f"{_MARK} {first} " + ",".join(f"{weight:.3g}" for weight in weights[first:last])


def parse_weights(text: str, bins: int) -> dict[int, float]:
    """Read what ``print_weights`` wrote: completions by bin; empty when it makes no sense, for a law is only a hint."""
    try:
        mark, first_text, body = text.split(" ")
        first = int(first_text)
        weights = [float(word) for word in body.split(",")]
    except ValueError:
        return {}
    if mark != _MARK or first < 0 or first + len(weights) > bins or not all(0.0 <= w <= _MOST for w in weights):
        return {}
    return {first + k: weight for k, weight in enumerate(weights) if weight >= _LEAST}
