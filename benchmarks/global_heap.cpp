// The peer in C++: one replication of a queueing funnel by the textbook's algorithm, one heap of all events.
//
// Every event of the world goes through the heap (arrivals alone are merged in from their sorted list), and every
// lead that joins a queue sets a timer for its patience, which is found void if work begins before. It draws the same
// random numbers as our engines, rounds to the same ticks and keeps the same order of one instant, so it must come to
// the same services, wins, losses and colds and the same sums of ticks, and with the log on to the same rows.
//
// What it can say: one source, always open, first come first served, no products; reps at desks of their own, served
// in turn, or sharing a desk for each role and region. World and tables come from Python by pointer, reps and desks in
// the order of their identities. Build with -O3 -march=native -ffp-contract=off: contraction would round otherwise.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {

using i64 = std::int64_t;
using u64 = std::uint64_t;
using u32 = std::uint32_t;

constexpr i64 NEVER = INT64_MAX / 4;
constexpr i64 HOUR = 3'600'000, DAY = 24 * HOUR;
constexpr int NOBODY = -1;
constexpr u32 NONE = UINT32_MAX;

// ---- the world, as benchmarks/cpp.py hands it over; keep the two in step ------------------------------------------

struct World {
    i64 end;                                       // horizon in ticks
    i64 days, regions, stages, desks, reps;        // sizes of what follows
    u64 source;                                    // identity
    double dispersion;                             // variance over mean of a day's leads
    const double* rates;                           // expected leads by day
    const i64 *opens, *closes;                     // ticks between which a day's leads arrive
    const u64* region_identity;
    const double* region_weight;
    const i64 *patience, *effort, *delay, *refusal;  // distributions by stage, -1 for none
    const i64* heads;                              // sampler tables: kind, first row, size
    const double* rows;
    const i64 *desk_first, *desk_rep;              // reps of a desk; whose it is, -1 for a shared one
    const i64* rep_position;                       // row of a rep in the scenario
    const double *factor, *chance;                 // of effort and to go on, by rep and stage
    const i64* shared;                             // desk by stage and region; null where leads go in turn and stay
};

struct Totals {
    i64 leads, services, wins, losses, colds, wait, busy;
};

#pragma pack(push, 1)
struct Row {
    i64 time;
    std::int16_t kind;
    u64 entity;
    std::int32_t visit;
    std::int16_t stage;
    std::int32_t rep, item;
    i64 value, extra;
};
#pragma pack(pop)

enum Kind { K_END = 1, K_YES = 5, K_NO = 6, K_WON = 7, K_ARRIVE = 11, K_ENTER = 13, K_COLD = 14, K_START = 23 };
enum Moment { END = 0, READY = 4, ARRIVE = 7, PATIENCE = 8 };  // dispatch comes last and needs no event
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

struct Lead {
    u64 entity;
    i64 entered, started, delay;
    u32 next, before;           // neighbours in the queue
    u32 effort, outcome, answer;  // words drawn at the door of the stage
    std::int32_t desk, rep;
    std::uint8_t stage, region;
    bool waiting, agrees;
};

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

// ---- the heap -----------------------------------------------------------------------------------------------------

struct Event {
    i64 time;
    u32 lead;
    std::uint8_t kind, stage;
};

// Four children to a node: half the depth of a binary heap, and children share a cache line.
class Heap {
  public:
    explicit Heap(const std::vector<Lead>& leads) : leads_(leads) {}

    bool empty() const { return events_.empty(); }
    const Event& top() const { return events_.front(); }

    void push(const Event& event) {
        std::size_t here = events_.size();
        events_.push_back(event);
        while (here > 0) {
            const std::size_t parent = (here - 1) / 4;
            if (!before(event, events_[parent])) break;
            events_[here] = events_[parent];
            here = parent;
        }
        events_[here] = event;
    }

    Event pop() {
        const Event first = events_.front(), last = events_.back();
        events_.pop_back();
        const std::size_t size = events_.size();
        if (size == 0) return first;
        std::size_t here = 0;
        for (std::size_t child = 1; child < size; child = 4 * here + 1) {
            std::size_t least = child;
            for (std::size_t other = child + 1; other < std::min(child + 4, size); ++other)
                if (before(events_[other], events_[least])) least = other;
            if (!before(events_[least], last)) break;
            events_[here] = events_[least];
            here = least;
        }
        events_[here] = last;
        return first;
    }

  private:
    bool before(const Event& a, const Event& b) const {
        if (a.time != b.time) return a.time < b.time;
        if (a.kind != b.kind) return a.kind < b.kind;
        const u64 left = leads_[a.lead].entity, right = leads_[b.lead].entity;
        return left != right ? left < right : a.stage < b.stage;
    }

    std::vector<Event> events_;
    const std::vector<Lead>& leads_;
};

// ---- one replication ----------------------------------------------------------------------------------------------

struct Desk {
    u32 head = NONE, tail = NONE;
    bool pending = false;
};

struct Rep {
    i64 idle_since = 0;
    bool busy = false;
};

template <bool LOGGED>
class Replication {
  public:
    Replication(const World& world, u64 key, std::vector<Row>& log)
        : world_(world), key_(key), heap_(leads_), desks_(world.desks), reps_(world.reps), log_(log) {}

    Totals run() {
        const std::vector<Arrival> arrivals = arrivals_of(world_, key_);
        leads_.reserve(arrivals.size());
        std::size_t coming = 0;
        while (true) {
            const i64 arrives = coming < arrivals.size() ? arrivals[coming].time : NEVER;
            const i64 due = heap_.empty() ? NEVER : heap_.top().time;
            const i64 next = std::min(arrives, due);
            if (!touched_.empty() && next > now_) {
                dispatch();
                continue;
            }
            if (next >= world_.end) break;
            now_ = next;
            if (arrives < due || (arrives == due && heap_.top().kind > ARRIVE)) {
                arrive(arrivals[coming++].entity);
            } else {
                const Event event = heap_.pop();
                if (event.kind == END) end(event.lead);
                else if (event.kind == READY) answered(event.lead);
                else goes_cold(event.lead, event.stage);
            }
        }
        totals_.leads = i64(leads_.size());
        return totals_;
    }

  private:
    void arrive(u64 entity) {
        const u32 number = u32(leads_.size());
        leads_.emplace_back();
        Lead& lead = leads_.back();
        lead.entity = entity;
        lead.region = std::uint8_t(region_of(world_, key_, entity));
        lead.stage = 0;
        if (!world_.shared) lead.desk = std::int32_t(turn_++ % world_.desks);
        row(K_ARRIVE, lead, -1, NOBODY, 0, 0, lead.region);
        enter(number);
    }

    void enter(u32 number) {
        Lead& lead = leads_[number];
        const int stage = lead.stage;
        const Block drawn = philox(key_, lead.entity, u32(stage) << 24, STAGE);
        i64 deadline = NEVER;
        if (world_.patience[stage] >= 0)
            deadline = now_ + days_drawn(world_, world_.patience[stage], uniform32(drawn.word[0]));
        if (deadline < world_.end) heap_.push({deadline, number, PATIENCE, lead.stage});
        lead.effort = drawn.word[1];
        lead.outcome = drawn.word[2];
        lead.answer = drawn.word[3];
        lead.entered = now_;
        lead.waiting = true;
        if (world_.shared) lead.desk = std::int32_t(world_.shared[stage * world_.regions + lead.region]);
        row(K_ENTER, lead, stage, world_.desk_rep[lead.desk], -1, deadline, 0);
        join(number);
    }

    // First come first served; of those who came in one instant, by identity.
    void join(u32 number) {
        Lead& lead = leads_[number];
        Desk& desk = desks_[lead.desk];
        u32 before = desk.tail;
        while (before != NONE && leads_[before].entered == lead.entered && leads_[before].entity > lead.entity)
            before = leads_[before].before;
        lead.before = before;
        lead.next = before == NONE ? desk.head : leads_[before].next;
        (before == NONE ? desk.head : leads_[before].next) = number;
        (lead.next == NONE ? desk.tail : leads_[lead.next].before) = number;
        touch(lead.desk);
    }

    void leave(Lead& lead) {
        Desk& desk = desks_[lead.desk];
        (lead.before == NONE ? desk.head : leads_[lead.before].next) = lead.next;
        (lead.next == NONE ? desk.tail : leads_[lead.next].before) = lead.before;
        lead.waiting = false;
    }

    void goes_cold(u32 number, int stage) {
        Lead& lead = leads_[number];
        if (!lead.waiting || lead.stage != stage) return;
        leave(lead);
        ++totals_.colds;
        row(K_COLD, lead, stage, world_.desk_rep[lead.desk], 0, 0, now_ - lead.entered);
    }

    void touch(int desk) {
        if (desks_[desk].pending || desks_[desk].head == NONE || idle_rep(desk) == NOBODY) return;
        desks_[desk].pending = true;
        touched_.push_back(desk);
    }

    // The rep who has been idle longest, the first of several.
    int idle_rep(int desk) const {
        int best = NOBODY;
        for (i64 rep = world_.desk_first[desk]; rep < world_.desk_first[desk + 1]; ++rep)
            if (!reps_[rep].busy && (best == NOBODY || reps_[rep].idle_since < reps_[best].idle_since)) best = int(rep);
        return best;
    }

    // The last thing of an instant: the first touched desk matches its leads and its idle reps.
    void dispatch() {
        const auto first = std::min_element(touched_.begin(), touched_.end());
        const int desk = *first;
        touched_.erase(first);
        desks_[desk].pending = false;
        while (desks_[desk].head != NONE) {
            const int rep = idle_rep(desk);
            if (rep == NOBODY) return;
            start(desks_[desk].head, rep);
        }
    }

    void start(u32 number, int rep) {
        Lead& lead = leads_[number];
        leave(lead);
        const int stage = lead.stage;
        const double hours = quantile(world_, world_.effort[stage], uniform32(lead.effort));
        const i64 ends = now_ + ticks(hours * world_.factor[rep * world_.stages + stage], HOUR);
        lead.rep = rep;
        lead.started = now_;
        reps_[rep].busy = true;
        totals_.wait += now_ - lead.entered;
        totals_.busy += std::min(ends, world_.end) - now_;
        row(K_START, lead, stage, world_.rep_position[rep], -1, now_ - lead.entered, ends);
        if (ends < world_.end) heap_.push({ends, number, END, lead.stage});
    }

    void end(u32 number) {
        Lead& lead = leads_[number];
        const int stage = lead.stage, rep = lead.rep;
        ++totals_.services;
        row(K_END, lead, stage, world_.rep_position[rep], -1, lead.started, now_ - lead.started);
        reps_[rep].busy = false;
        reps_[rep].idle_since = now_;
        touch(lead.desk);
        lead.agrees = uniform32(lead.outcome) < world_.chance[rep * world_.stages + stage];
        const i64 clock = lead.agrees ? world_.delay[stage] : world_.refusal[stage];
        lead.delay = days_drawn(world_, clock, uniform32(lead.answer));
        if (lead.delay == 0) answered(number);
        else if (now_ + lead.delay < world_.end) heap_.push({now_ + lead.delay, number, READY, lead.stage});
    }

    void answered(u32 number) {
        Lead& lead = leads_[number];
        const int stage = lead.stage;
        const bool last = stage + 1 == world_.stages;
        const Kind kind = !lead.agrees ? K_NO : last ? K_WON : K_YES;
        row(kind, lead, stage, world_.rep_position[lead.rep], 0, 0, lead.delay);
        if (!lead.agrees) ++totals_.losses;
        else if (last) ++totals_.wins;
        else {
            ++lead.stage;
            enter(number);
        }
    }

    void row(Kind kind, const Lead& lead, int stage, i64 rep, int item, i64 value, i64 extra) {
        if constexpr (LOGGED) {
            log_.push_back({now_, std::int16_t(kind), lead.entity, 0, std::int16_t(stage), std::int32_t(rep), item,
                            value, extra});
            // Rows come in order of time; within an instant they stand by kind, lead and stage.
            const auto less = [](const Row& a, const Row& b) {
                if (a.time != b.time) return a.time < b.time;
                if (a.kind != b.kind) return a.kind < b.kind;
                return a.entity != b.entity ? a.entity < b.entity : a.stage < b.stage;
            };
            for (auto at = log_.end() - 1; at != log_.begin() && less(*at, *(at - 1)); --at) std::swap(*at, *(at - 1));
        }
    }

    const World& world_;
    u64 key_;
    i64 now_ = 0, turn_ = 0;
    std::vector<Lead> leads_;
    Heap heap_;
    std::vector<Desk> desks_;
    std::vector<Rep> reps_;
    std::vector<int> touched_;
    std::vector<Row>& log_;
    Totals totals_{};
};

std::vector<Row> kept_log;

}  // namespace

extern "C" {

// One replication; the log, if asked for, is kept until the next call, which reuses its memory.
void simulate(const World* world, u64 key, int logged, Totals* totals) {
    kept_log.clear();
    *totals = logged ? Replication<true>(*world, key, kept_log).run() : Replication<false>(*world, key, kept_log).run();
}

i64 log_rows(const void** rows) {
    *rows = kept_log.data();
    return i64(kept_log.size());
}
}
