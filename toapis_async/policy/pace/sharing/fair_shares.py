"""Max-min fairness: nobody gets more than he asks for while somebody else gets less than an equal part."""

from collections.abc import Mapping


def fair_shares(total: float, demands: Mapping[str, float]) -> dict[str, float]:
    """Divide *total* by demand with equal weights.

    Args:
        total: what there is; nothing below zero.
        demands: what each would use.

    """
    shares: dict[str, float] = {}
    left, claimants = max(0.0, total), len(demands)
    for name, demand in sorted(demands.items(), key=lambda entry: entry[1]):
        shares[name] = min(max(0.0, demand), left / claimants)
        left -= shares[name]
        claimants -= 1
    return shares


def whole_shares(total: int, demands: Mapping[str, int]) -> dict[str, int]:
    """Divide *total* things that cannot be split, as evenly as they allow; the same demands give the same parts."""
    shares: dict[str, int] = {}
    left, claimants = max(0, total), len(demands)
    for name, demand in sorted(demands.items(), key=lambda entry: (entry[1], entry[0])):
        shares[name] = min(max(0, demand), -(-left // claimants))
        left -= shares[name]
        claimants -= 1
    return shares
