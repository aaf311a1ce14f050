// Runs a verilated model from arrays: one call per simulation, the rules of endpoints.py.
// Signals are found by name at run time, so this file is compiled once for all models.
#include <cstdint>
#include <cstring>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "verilated.h"
#include "verilated_syms.h"

// Defined by each model (model.cpp).
void* model_new(VerilatedContext* context);
void model_eval(void* model);
void model_delete(void* model);
void* model_port(void* model, const char* name, size_t* bits);

// Verilator ends the process by default; here every complaint becomes the caller's exception.
void vl_fatal(const char* file, int line, const char*, const char* text) {
    throw std::runtime_error{std::string{file} + ":" + std::to_string(line) + ": " + text};
}
void vl_warn(const char* file, int line, const char* scope, const char* text) {
    vl_fatal(file, line, scope, text);
}
void vl_stop(const char* file, int line, const char* scope) {
    vl_fatal(file, line, scope, "$stop");
}
void vl_finish(const char* file, int line, const char* scope) {
    vl_fatal(file, line, scope, "$finish");
}

namespace {

enum Kind { SOURCE = 0, SINK = 1, MONITOR = 2 };
enum Status { DONE = 0, PROTOCOL = 1, DEADLOCK = 2, STOPPED = 3, ERROR = 4 };

struct Stream {
    Kind kind;
    size_t width;                       // bits of tdata
    size_t bytes;                       // of Verilator's storage for tdata
    size_t count;                       // words of a beat
    uint8_t *data, *valid, *ready;
    std::vector<uint8_t*> marks;        // one bit each, above tdata in a beat
    const uint32_t* words = nullptr;    // source: beats to send
    int64_t beats = 0;                  // source: how many; sink: how many to await
    const uint8_t* pause = nullptr;
    int64_t period = 1;
    int64_t phase = 0;                  // cycle modulo period
    int64_t sent = 0;
    const int64_t* ends = nullptr;      // source: beats before which it waits for each reset, all
    int64_t stalls = 0;
    bool offering = false;
    bool held = false;
    bool was_ready = false;
    std::vector<uint32_t> now, before, trace;
    std::vector<int64_t> cycles;
    std::vector<int64_t> offers, turns; // of Handshake

    void put(const uint32_t* beat, uint32_t flip) {
        uint32_t word = 0;
        for (size_t i = 0; i < bytes; i += 4) {
            word = beat[i / 4] ^ flip;
            const size_t top = width - 8 * i;
            if (top < 32) word &= (uint32_t{1} << top) - 1;
            if (8 * i >= width) word = 0;
            std::memcpy(data + i, &word, bytes - i < 4 ? bytes - i : 4);
        }
        for (size_t i = 0; i < marks.size(); ++i) *marks[i] = bit(beat, width + i) ^ (flip & 1);
    }
    static uint8_t bit(const uint32_t* beat, size_t at) { return beat[at / 32] >> at % 32 & 1; }

    void drive() {
        const bool paused = pause[phase];
        if (++phase == period) phase = 0;
        if (kind == SINK) {
            *ready = !paused;
        } else if (!offering) {
            if (sent < *ends && !paused) {
                put(words + sent * count, 0);
                *valid = offering = true;
            } else if (*valid) {
                put(words + (sent - 1) * count, ~uint32_t{0});
                *valid = false;
            }
        }
    }

    void get() {
        std::memcpy(now.data(), data, bytes < 4 * count ? bytes : 4 * count);
        for (size_t i = 0; i < marks.size(); ++i)
            now[(width + i) / 32] |= uint32_t{*marks[i]} << (width + i) % 32;
    }

    void reset() {
        if (held) offers.pop_back();
        held = offering = false;
        if (kind == SOURCE) {
            *valid = false;
            sent = *ends++;
        } else {
            sent = 0;
        }
    }

    // False on a protocol violation; sets moved when a beat moves at this rising edge.
    bool sample(int64_t cycle, bool& moved) {
        if ((*ready != 0) != was_ready) {
            was_ready = !was_ready;
            turns.push_back(cycle);
        }
        if (!*valid) return !held;
        if (!marks.empty()) std::fill(now.begin(), now.end(), 0);
        get();
        if (held && now != before) return false;
        if (!held) offers.push_back(cycle);
        held = !was_ready;
        if (held) {
            before = now;
            ++stalls;
        } else {
            trace.insert(trace.end(), now.begin(), now.end());
            cycles.push_back(cycle);
            moved = true;
            offering = false;
            ++sent;
        }
        return true;
    }
};

struct Counter {
    std::vector<uint8_t*> bits;         // of which all are high in the cycles that count
    int64_t count = 0;

    void sample() {
        for (const uint8_t* bit : bits)
            if (!*bit) return;
        ++count;
    }
};

struct Simulation {
    VerilatedContext context;
    void* model = nullptr;
    uint8_t *clk = nullptr, *rst = nullptr;
    std::vector<std::unique_ptr<Stream>> streams;
    std::vector<Counter> counters;
    std::string error;
    int64_t cycles = 0;
    int64_t violator = -1;
    bool withdrew = false;              // or changed

    ~Simulation() {
        if (model) model_delete(model);
    }

    // Storage of a signal of the instance ``scope``, of the top's ports if that is empty.
    uint8_t* find(const std::string& scope, const std::string& name, size_t* bits) {
        if (scope.empty()) return static_cast<uint8_t*>(model_port(model, name.c_str(), bits));
        const VerilatedScope* found = context.scopeFind(scope.c_str());
        VerilatedVar* var = found ? found->varFind(name.c_str()) : nullptr;
        if (!var) return nullptr;
        *bits = var->entBits();
        return static_cast<uint8_t*>(var->datap());
    }

    uint8_t* need(const std::string& scope, const std::string& name, size_t width) {
        size_t bits = 0;
        uint8_t* found = find(scope, name, &bits);
        const std::string full = scope.empty() ? name : scope + "." + name;
        if (!found) throw std::runtime_error{"the Verilog has no signal " + full};
        if (bits != width)
            throw std::runtime_error{"signal " + full + " has " + std::to_string(bits)
                                     + " bits, not " + std::to_string(width)};
        return found;
    }

    void edge(bool level) {
        if (clk) *clk = level;
        model_eval(model);
    }

    void reset(int64_t edges) {
        if (rst) *rst = 1;
        for (int64_t i = 0; i < edges; ++i) {
            edge(false);
            edge(true);
        }
        if (rst) *rst = 0;
    }

    int run(int64_t edges, const int64_t* resets, int64_t resets_left, int64_t timeout,
            int64_t drain, int64_t every, int (*progress)(int64_t)) {
        reset(edges);
        int64_t moved_at = 0, done_at = -1;
        for (int64_t cycle = 0;; ++cycle) {
            if (resets_left && cycle == *resets) {
                ++resets;
                --resets_left;
                for (auto& stream : streams) stream->reset();
                reset(edges);
                moved_at = cycle;
            }
            for (auto& stream : streams)
                if (stream->kind != MONITOR) stream->drive();
            edge(false);
            bool moved = false, done = true;
            cycles = cycle + 1;
            for (size_t i = 0; i < streams.size(); ++i) {
                Stream& stream = *streams[i];
                if (!stream.sample(cycle, moved)) {
                    violator = static_cast<int64_t>(i);
                    withdrew = !*stream.valid;
                    cycles = cycle;
                    return PROTOCOL;
                }
                if (stream.kind == SINK && stream.sent < stream.beats) done = false;
            }
            for (Counter& counter : counters) counter.sample();
            if (moved) moved_at = cycle;
            if (resets_left) {
                moved_at = cycle;
                done = false;
            }
            if (done && done_at < 0) done_at = cycle;
            if (done_at >= 0 && cycle >= done_at + drain) return DONE;
            if (done_at < 0 && cycle - moved_at >= timeout) return DEADLOCK;
            if (cycle % every == 0 && progress(cycle)) return STOPPED;
            edge(true);
        }
    }
};

}  // namespace

#define API extern "C" __attribute__((visibility("default")))

// Memory files are read from the working directory.  Never null, see sim_error.
API Simulation* sim_open() {
    auto* sim = new Simulation;
    try {
        size_t bits = 0;
        sim->context.threads(1);
        sim->model = model_new(&sim->context);
        sim->clk = sim->find("", "clk", &bits);
        sim->rst = sim->find("", "rst", &bits);
        model_eval(sim->model);
    } catch (const std::exception& e) { sim->error = e.what(); }
    return sim;
}

API void sim_close(Simulation* sim) { delete sim; }
API const char* sim_error(Simulation* sim) { return sim->error.c_str(); }
API int64_t sim_cycles(Simulation* sim) { return sim->cycles; }
API int64_t sim_violator(Simulation* sim) { return sim->violator; }
API int64_t sim_withdrew(Simulation* sim) { return sim->withdrew; }
API int64_t sim_beats(Simulation* sim, int i) { return sim->streams[i]->cycles.size(); }
API int64_t sim_offers(Simulation* sim, int i) { return sim->streams[i]->offers.size(); }
API int64_t sim_turns(Simulation* sim, int i) { return sim->streams[i]->turns.size(); }
API int64_t sim_stalls(Simulation* sim, int i) { return sim->streams[i]->stalls; }
API int64_t sim_count(Simulation* sim, int i) { return sim->counters[i].count; }

API int sim_counter(Simulation* sim, const char* scope, const char* names) {
    try {
        Counter counter;
        std::istringstream each{names};
        for (std::string name; each >> name;) counter.bits.push_back(sim->need(scope, name, 1));
        sim->counters.push_back(counter);
        return 0;
    } catch (const std::exception& e) {
        sim->error = e.what();
        return 1;
    }
}

API int sim_stream(Simulation* sim, const char* scope, const char* prefix, int kind, int64_t width,
                   const char* marks, const uint32_t* words, int64_t beats, const int64_t* ends,
                   const uint8_t* pause, int64_t period) {
    try {
        auto s = std::make_unique<Stream>();
        const std::string name{prefix};
        s->kind = static_cast<Kind>(kind);
        s->width = width;
        s->bytes = width <= 8 ? 1 : width <= 16 ? 2 : width <= 32 ? 4 : width <= 64 ? 8
                   : (width + 31) / 32 * 4;
        s->data = sim->need(scope, name + "_tdata", width);
        s->valid = sim->need(scope, name + "_tvalid", 1);
        s->ready = sim->need(scope, name + "_tready", 1);
        std::istringstream names{marks};
        for (std::string mark; names >> mark;)
            s->marks.push_back(sim->need(scope, name + "_" + mark, 1));
        s->count = (width + s->marks.size() + 31) / 32;
        s->words = words;
        s->beats = beats;
        s->ends = ends;
        s->pause = pause;
        s->period = period;
        s->now.assign(s->count, 0);
        s->before.assign(s->count, 0);
        sim->streams.push_back(std::move(s));
        return 0;
    } catch (const std::exception& e) {
        sim->error = e.what();
        return 1;
    }
}

API int sim_run(Simulation* sim, int64_t edges, const int64_t* resets, int64_t count,
                int64_t timeout, int64_t drain, int64_t every, int (*progress)(int64_t)) {
    try {
        return sim->run(edges, resets, count, timeout, drain, every, progress);
    } catch (const std::exception& e) {
        sim->error = e.what();
        return ERROR;
    }
}

API void sim_copy(Simulation* sim, int i, uint32_t* words, int64_t* cycles) {
    const Stream& s = *sim->streams[i];
    std::memcpy(words, s.trace.data(), s.trace.size() * sizeof(uint32_t));
    std::memcpy(cycles, s.cycles.data(), s.cycles.size() * sizeof(int64_t));
}

API void sim_copy_handshake(Simulation* sim, int i, int64_t* offers, int64_t* turns) {
    const Stream& s = *sim->streams[i];
    std::memcpy(offers, s.offers.data(), s.offers.size() * sizeof(int64_t));
    std::memcpy(turns, s.turns.data(), s.turns.size() * sizeof(int64_t));
}
