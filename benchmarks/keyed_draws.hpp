// The world as benchmarks/cpp.py hands it over, and the random numbers, samplers and arrivals of our engines in C++.
//
// Counters, keys, purposes and rounding are those of sim/streams.py, sim/samplers.py, sim/counts.py and
// sim/rules_arrivals.py: equal inputs give equal bits, which the benchmark asserts.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

using i64 = std::int64_t;
using u64 = std::uint64_t;
using u32 = std::uint32_t;

constexpr i64 NEVER = INT64_MAX / 4;
constexpr i64 HOUR = 3'600'000, DAY = 24 * HOUR;

// ---- the world, as benchmarks/cpp.py hands it over; keep the two in step ------------------------------------------

struct World {
    i64 end;                                         // horizon in ticks
    i64 days, regions, stages, desks, reps;          // sizes of what follows
    u64 source;                                      // identity
    double dispersion;                               // variance over mean of a day's leads
    const double* rates;                             // expected leads by day
    const i64 *opens, *closes;                       // ticks between which a day's leads arrive
    const u64* region_identity;
    const double* region_weight;
    const i64 *patience, *effort, *delay, *refusal;  // distributions by stage, -1 for none
    const i64* heads;                                // sampler tables: kind, first row, size
    const double* rows;
    const i64 *desk_first, *desk_rep;                // reps of a desk; whose it is, -1 for a shared one
    const i64* rep_position;                         // row of a rep in the scenario
    const double *factor, *chance;                   // of effort and to go on, by rep and stage
    const i64* shared;                               // desk by stage and region; null where leads go in turn and stay
};

enum Purpose { STAGE = 0, ARRIVAL_COUNT = 1, ARRIVAL_TIME = 2, REGION = 3 };

// ---- random numbers -----------------------------------------------------------------------------------------------

struct Block {
    u32 word[4];
};

inline Block philox(u64 key, u64 entity, u32 place, u32 purpose) {
    u32 c0 = u32(entity), c1 = u32(entity >> 32), c2 = place, c3 = purpose;
    u32 k0 = u32(key), k1 = u32(key >> 32);
    for (int round = 0; round < 10; ++round) {
        const u64 p0 = u64(0xD2511F53) * c0, p1 = u64(0xCD9E8D57) * c2;
        c0 = u32(p1 >> 32) ^ c1 ^ k0;
        c1 = u32(p1);
        c2 = u32(p0 >> 32) ^ c3 ^ k1;
        c3 = u32(p0);
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    return {{c0, c1, c2, c3}};
}

inline double uniform32(u32 word) { return (double(word) + 0.5) * 0x1p-32; }

inline double uniform52(u64 key, u64 entity, u32 ordinal, Purpose purpose) {
    const Block block = philox(key, entity, ordinal, purpose);
    const u64 x = ((u64(block.word[0]) << 32) | block.word[1]) >> 12;
    return (double(i64(x)) + 0.5) * 0x1p-52;
}

inline u64 mix64(u64 x) {
    x += 0x9E3779B97F4A7C15;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return x ^ (x >> 31);
}

inline u64 derived(u64 kind, u64 whole, u64 part) { return mix64(mix64(whole ^ kind) ^ part); }
inline u64 lead_identity(u64 source, u64 day, u64 k) { return derived(0x243F6A8885A308D3, source, (day << 32) ^ k); }
inline u64 pair_identity(u64 a, u64 b) { return derived(0xA4093822299F31D0, a, b); }

// ---- samplers -----------------------------------------------------------------------------------------------------

inline double quantile(const World& world, i64 distribution, double u) {
    constexpr i64 FIXED = 0, OCTAVES = 52;
    const i64* head = world.heads + 3 * distribution;
    if (head[0] == FIXED) return world.rows[6 * head[1]];
    const i64 bits = head[2], shift = 52 - bits;
    const bool upper = u > 0.5;
    const double tail = std::min(std::max(upper ? 1.0 - u : u, 0x1p-53), 0.5 - 0x1p-54);
    i64 pattern;
    std::memcpy(&pattern, &tail, sizeof pattern);
    i64 row = head[1] + (pattern >> shift) - (i64(1023 - 53) << bits);
    if (upper) row += OCTAVES << bits;
    const double x = double(pattern & ((i64(1) << shift) - 1)) / double(i64(1) << shift);
    const double* c = world.rows + 6 * row;
    return c[0] + x * (c[1] + x * (c[2] + x * (c[3] + x * (c[4] + x * c[5]))));
}

inline i64 ticks(double value, i64 unit) {
    const double exact = value * double(unit);
    return exact >= double(NEVER) ? NEVER : i64(std::rint(std::max(exact, 0.0)));
}

inline i64 days_drawn(const World& world, i64 distribution, double u) {
    return distribution < 0 ? 0 : ticks(quantile(world, distribution, u), DAY);
}

// ---- arrivals -----------------------------------------------------------------------------------------------------

// The smallest count that a negative binomial reaches with probability u, summed from the tail on u's side.
i64 count_quantile(double mean, double dispersion, double u) {
    if (mean == 0.0) return 0;
    constexpr double NEGLIGIBLE = 0x1p-90;
    const double excess = dispersion - 1.0;
    const auto ratio = [=](i64 k) { return (mean + double(k) * excess) / ((double(k) + 1.0) * (1.0 + excess)); };
    const i64 mode = std::max(i64(std::ceil(mean - dispersion)), i64(0));
    i64 low = mode, high = mode;
    double low_mass = 1.0, below = 0.0, high_mass = 1.0, above = 0.0;
    while (low > 0 && low_mass > NEGLIGIBLE) below += low_mass /= ratio(--low);
    while (high_mass > NEGLIGIBLE) above += high_mass *= ratio(high++);
    const double total = below + 1.0 + above;
    if (u < 0.5) {
        double reached = low_mass;
        while (reached < u * total) reached += low_mass *= ratio(low++);
        return low;
    }
    double over = high_mass;
    while (high > 0 && over <= (1.0 - u) * total) over += high_mass /= ratio(--high);
    return high;
}

struct Arrival {
    i64 time;
    u64 entity;
};

std::vector<Arrival> arrivals_of(const World& world, u64 key) {
    std::vector<Arrival> found;
    for (i64 day = 0; day < world.days; ++day) {
        const double u = uniform52(key, world.source, u32(day), ARRIVAL_COUNT);
        const i64 count = count_quantile(world.rates[day], world.dispersion, u);
        const auto first = found.size();
        for (i64 k = 0; k < count; ++k) {
            const u64 entity = lead_identity(world.source, u64(day), u64(k));
            const double width = double(world.closes[day] - world.opens[day]);
            const i64 time = world.opens[day] + i64(uniform52(key, entity, 0, ARRIVAL_TIME) * width);
            if (time < world.end) found.push_back({time, entity});
        }
        // Days do not overlap, so sorting each sorts all.
        std::sort(found.begin() + i64(first), found.end(), [](const Arrival& a, const Arrival& b) {
            return a.time != b.time ? a.time < b.time : a.entity < b.entity;
        });
    }
    return found;
}

int region_of(const World& world, u64 key, u64 entity) {
    if (world.regions == 1) return 0;
    int best = 0;
    double best_score = INFINITY;
    for (int region = 0; region < world.regions; ++region) {
        if (world.region_weight[region] <= 0.0) continue;
        const u64 pair = pair_identity(entity, world.region_identity[region]);
        const double score = -std::log(uniform52(key, pair, 0, REGION)) / world.region_weight[region];
        if (score < best_score) {
            best_score = score;
            best = region;
        }
    }
    return best;
}
