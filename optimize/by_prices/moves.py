"""Local search over owners at given worths of arcs: ejection chains, and repair of least hours."""

from __future__ import annotations

import numpy as np

from optimize.by_prices.compiled import compiled
from optimize.by_prices.kernels import NEVER, TINY, free, place


@compiled
def chains(start, account, rep, hours, worth, price, most, held, left, first, slots, count, depth, sweeps, nodes):
    """Ejection chains (Glover 1996): an account without owner takes a place, its account looks for another, and so on.

    A chain goes on while its gain so far and the price of the account on the move are worth more than the best chain
    yet (the rule of Lin and Kernighan).

    Args:
        worth: of each arc; price: what an account brings where it finds a place, [A].
        depth: most accounts that are pushed out; nodes: where the search for one chain ends.
    """
    total = 0.0
    mover = np.empty(depth + 2, np.int64)
    arc = np.empty(depth + 2, np.int64)
    victim = np.empty(depth + 2, np.int64)
    so_far = np.empty(depth + 2)
    best_arc = np.empty(depth + 2, np.int64)
    for _ in range(sweeps):
        gain = 0.0
        for a in range(len(start) - 1):
            if held[a] >= 0:
                continue
            best = 10 * TINY
            length = 0
            dropped = -1
            seen = 0
            level = 0
            mover[0] = a
            arc[0] = start[a]
            victim[0] = -1
            so_far[0] = 0.0
            while level >= 0:
                b = mover[level]
                j = arc[level]
                if j >= start[b + 1] or seen > nodes:
                    level -= 1
                    continue
                r = rep[j]
                stale = j == held[b]
                for i in range(level):
                    stale = stale or rep[arc[i]] == r
                if stale:
                    arc[level] += 1
                    victim[level] = -1
                    continue
                now = so_far[level] + worth[j]
                if victim[level] < 0:
                    seen += 1
                    if hours[j] <= left[r] - TINY and count[r] < most[r]:
                        if now > best:
                            best = now
                            length = level + 1
                            dropped = -1
                            for i in range(level + 1):
                                best_arc[i] = arc[i]
                        arc[level] += 1
                        continue
                    victim[level] = 0
                i = victim[level]
                if i >= count[r]:
                    arc[level] += 1
                    victim[level] = -1
                    continue
                victim[level] += 1
                seen += 1
                out = slots[first[r] + i]
                known = False
                for q in range(level + 1):
                    known = known or mover[q] == out
                if known or hours[held[out]] + left[r] - TINY < hours[j] or count[r] > most[r]:
                    continue
                rest = now - worth[held[out]]
                if rest > best:
                    best = rest
                    length = level + 1
                    dropped = out
                    for q in range(level + 1):
                        best_arc[q] = arc[q]
                if level < depth and rest + price[out] > best:
                    level += 1
                    mover[level] = out
                    arc[level] = start[out]
                    victim[level] = -1
                    so_far[level] = rest
            if length > 0:
                if dropped >= 0:
                    free(dropped, rep, hours, held, left, first, slots, count)
                for i in range(length):
                    b = account[best_arc[i]]
                    if held[b] >= 0:
                        free(b, rep, hours, held, left, first, slots, count)
                for i in range(length):
                    place(best_arc[i], account, rep, hours, held, left, first, slots, count)
                gain += best
        total += gain
        if gain < 1e-6:
            break
    return total


@compiled
def raise_floors(account, rep, hours, worth, most, floor, room, held, left, first, of_rep, slots, count):
    """Bring reps below their least hours up: accounts nobody has, then those of reps who can spare them.

    Args:
        floor, room: least and most hours of each rep.

    Returns:
        How many reps stay below.
    """
    short = 0
    for r in range(len(left)):
        while room[r] - left[r] < floor[r]:
            need = floor[r] - (room[r] - left[r])
            best = NEVER
            at = -1
            for i in range(first[r], first[r + 1]):
                j = of_rep[i]
                a = account[j]
                if held[a] == j or hours[j] > left[r] - TINY or count[r] >= most[r] or hours[j] <= 0.0:
                    continue
                loss = -worth[j]
                if held[a] >= 0:
                    giver = rep[held[a]]
                    if room[giver] - left[giver] - hours[held[a]] < floor[giver]:
                        continue
                    loss += worth[held[a]]
                each = loss / min(hours[j], need)
                if each < best:
                    best = each
                    at = j
            if at < 0:
                short += 1
                break
            if held[account[at]] >= 0:
                free(account[at], rep, hours, held, left, first, slots, count)
            place(at, account, rep, hours, held, left, first, slots, count)
    return short
