"""Inner loops on the room that rules leave a quota as accounts move, and how far what is left misses the totals."""

from __future__ import annotations

import numpy as np

from optimize.by_prices.compiled import compiled


@compiled
def expected(ordered, sums, r, shift):
    """f(u) of a rep: the sample average of min(S, u)."""
    n = ordered.shape[1]
    k = np.searchsorted(ordered[r], shift, side="right")
    return (sums[r, k] + (n - k) * shift) / n


@compiled
def highest_quota(ordered, sums, r, gain, share, most):
    """The largest quota up to ``most`` of which this share is attained: attainment falls as quotas rise."""
    if share <= 0.0 or gain + expected(ordered, sums, r, most - gain) >= share * most:
        return most
    low = 0.0
    high = most
    for _ in range(60):
        middle = 0.5 * (low + high)
        if gain + expected(ordered, sums, r, middle - gain) >= share * middle:
            low = middle
        else:
            high = middle
    return low


@compiled
def highest_quotas(ordered, sums, gain, share):
    """:func:`highest_quota` of every rep, [R]; infinite where no share is asked."""
    out = np.empty(len(gain))
    for r in range(len(gain)):
        out[r] = np.inf
        if share[r] > 0.0:
            out[r] = highest_quota(ordered, sums, r, gain[r], share[r], most_of(ordered, sums, r, gain[r], share[r]))
    return out


@compiled
def most_of(ordered, sums, r, gain, share):
    """The quota of which all expected sales are this share."""
    mean = sums[r, ordered.shape[1]] / ordered.shape[1] + gain
    return max(mean, 0.0) / share


@compiled
def room_of(r, potential, history, gain, ordered, sums, low, high, band, growth, shift, share):
    """Bounds of the quota of one rep by her potential, history and gain; NaN factors bound nothing."""
    bottom = low[r]
    top = min(high[r], shift[r] + gain)
    if band[0, r] == band[0, r]:
        top = min(top, band[0, r] * potential)
    if growth[0, r] == growth[0, r]:
        top = min(top, growth[0, r] * history)
    if band[1, r] == band[1, r]:
        bottom = max(bottom, band[1, r] * potential)
    if growth[1, r] == growth[1, r]:
        bottom = max(bottom, growth[1, r] * history)
    if share[r] > 0.0:
        top = highest_quota(
            ordered, sums, r, gain, share[r], min(top, most_of(ordered, sums, r, gain, share[r]))
        )  # fmt: skip
    return bottom, top


@compiled
def rooms_of(potential, history, gain, ordered, sums, low, high, band, growth, shift, share):
    """:func:`room_of` of every rep, [R] each."""
    bottom = np.empty(len(gain))
    top = np.empty(len(gain))
    for r in range(len(gain)):
        bottom[r], top[r] = room_of(
            r, potential[r], history[r], gain[r], ordered, sums, low, high, band, growth, shift, share
        )  # fmt: skip
    return bottom, top


@compiled
def missed(group, sums_to, bottom, top, low_sums, high_sums):
    """How far quotas miss their bounds and totals, whoever has to give way; the sums of bounds are written, [G]."""
    low_sums[:] = 0.0
    high_sums[:] = 0.0
    off = 0.0
    for r in range(len(group)):
        low_sums[group[r]] += bottom[r]
        high_sums[group[r]] += max(top[r], bottom[r])
        off += max(bottom[r] - top[r], 0.0)
    for g in range(len(sums_to)):
        off += max(low_sums[g] - sums_to[g], 0.0) + max(sums_to[g] - high_sums[g], 0.0)
    return off
