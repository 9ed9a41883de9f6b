"""Money and time in words."""


def usd(amount: object) -> str:
    """Return an amount with at least two and at most four digits after the point."""
    text = f"{amount:,.4f}"
    return text.removesuffix("0").removesuffix("0")


def duration_text(seconds: float) -> str:
    """Return a duration as people say it."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def count_text(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 request``, ``2,000 requests``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
