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

#include "keyed_draws.hpp"

namespace {

constexpr int NOBODY = -1;
constexpr u32 NONE = UINT32_MAX;

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

// ---- the heap -----------------------------------------------------------------------------------------------------

struct Lead {
    u64 entity;
    i64 entered, started, delay;
    u32 next, before;           // neighbours in the queue
    u32 effort, outcome, answer;  // words drawn at the door of the stage
    std::int32_t desk, rep;
    std::uint8_t stage, region;
    bool waiting, agrees;
};

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
        ++totals_.services;
        totals_.wait += now_ - lead.entered;
        totals_.busy += std::min(ends, world_.end) - now_;
        row(K_START, lead, stage, world_.rep_position[rep], -1, now_ - lead.entered, ends);
        if (ends < world_.end) heap_.push({ends, number, END, lead.stage});
    }

    void end(u32 number) {
        Lead& lead = leads_[number];
        const int stage = lead.stage, rep = lead.rep;
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
