// SPDX-License-Identifier: Apache-2.0
//
// How long it takes from the publication of an ADD or a DELETE until each worker acts on it, with
// traffic at full speed. A worker is seen to act when the first copy of the added criterion reaches
// its sink, or the first batch without one of the deleted: every batch begins with a packet that
// only this criterion matches, and has others that are always copied. Nothing is added to a
// worker's path but the look at its own copies.
//
// Control has a thread of its own, and does what the access point does: a `live_classifier`, a
// table of actions, `data_path::publish`, merges on one more thread of the lowest priority. Both
// are kept to one core and each worker to another, as far as there are any. With each change that
// is measured some other criterion comes or goes.
//
//     bench-path_in_force [--changes N] [--workers N] [--csv FILE]
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sched.h>
#include <sys/resource.h>

#include <flowtap/core/bytes.hpp>
#include <flowtap/filter/live_classifier.hpp>
#include <flowtap/path/data_path.hpp>
#include <flowtap/path/delivery_ledger.hpp>

#include "filter_sets.hpp"

namespace {

using namespace flowtap;
using namespace flowtap::path;

constexpr std::size_t trace_length = 65'536;
constexpr unsigned hit_percent = 5;
constexpr std::size_t batch = 256;
/// 198.18.0.1: no filter and no other packet is about it.
constexpr std::uint64_t marked_address = 0xC6120001;
constexpr stream_id marked_stream{0};
constexpr stream_id other_stream{1};

/// Control, and the background with it, have the first core for themselves as long as there are
/// enough for all.
void run_on_core(std::size_t number) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(number % std::max(1U, std::thread::hardware_concurrency()), &cores);
    sched_setaffinity(0, sizeof cores, &cores);
}

std::int64_t now() {
    return std::chrono::steady_clock::now().time_since_epoch().count();
}

// --- workers

std::vector<std::byte> packet_of(const packet_key& key) {
    std::vector<std::byte> made(64);
    const std::span<std::byte> out(made);
    store_big_endian<std::uint8_t>(out, 0x45);
    store_big_endian<std::uint16_t>(out.subspan(2), 64);
    store_big_endian<std::uint8_t>(out.subspan(8), 64);
    store_big_endian<std::uint8_t>(out.subspan(9), key.protocol);
    store_big_endian(out.subspan(12), static_cast<std::uint32_t>(key.source.low));
    store_big_endian(out.subspan(16), static_cast<std::uint32_t>(key.destination.low));
    store_big_endian(out.subspan(20), key.source_port);
    store_big_endian(out.subspan(22), key.destination_port);
    store_big_endian<std::uint16_t>(out.subspan(24), 44);
    // The length of a TCP header.
    store_big_endian<std::uint8_t>(out.subspan(32), 0x50);
    return made;
}

/// Packets without end. The first of each batch is the marked one.
class endless_source final : public source {
public:
    explicit endless_source(const std::vector<packet_key>& keys) {
        packet_key key;
        key.of_family = family::inet;
        key.source = {0, 0x0A000001};
        key.destination = {0, marked_address};
        key.protocol = 17;
        key.has_ports = true;
        marked_ = packet_of(key);
        for (const packet_key& each : keys)
            packets_.push_back(packet_of(each));
    }
    read_result read(std::span<captured_packet> into) noexcept override {
        for (captured_packet& each : into) {
            const bool is_first = &each == into.data();
            each = {.frame = is_first ? marked_ : packets_[next_],
                    .wire_length = 64,
                    .link = packet::link_type::raw};
            next_ = (next_ + 1) % packets_.size();
        }
        return {into.size(), source_state::ready};
    }
    void wait(std::chrono::milliseconds) noexcept override {}
    void interrupt() noexcept override {}
    backpressure when_full() const noexcept override { return backpressure::wait; }

private:
    std::vector<std::byte> marked_;
    std::vector<std::vector<std::byte>> packets_;
    std::size_t next_ = 0;
};

/// Counts, and notes when the marked copies begin and end.
class watching_sink final : public sink {
public:
    std::size_t consume(std::span<const copy> copies) noexcept override {
        ledger().delivered(copies);
        // One call for each batch, with a dozen copies. Some may ask for the marked packet besides.
        const bool is_marked = std::ranges::any_of(
            copies, [](const copy& one) { return one.stream == marked_stream; });
        if (is_marked != marked_) {
            marked_ = is_marked;
            changed_.store(now(), std::memory_order_release);
        }
        return copies.size();
    }
    void wait(std::chrono::milliseconds) noexcept override {}

    /// When the marked copies last began or ended, after `since`.
    std::optional<std::int64_t> changed(std::int64_t since) const noexcept {
        const std::int64_t when = changed_.load(std::memory_order_acquire);
        return when > since ? std::optional(when) : std::nullopt;
    }

private:
    bool marked_ = false;
    alignas(64) std::atomic<std::int64_t> changed_{0};
};

// --- the background

class background_thread {
public:
    background_thread() : thread_([this] { work(); }) {}
    ~background_thread() {
        {
            const std::lock_guard held(guard_);
            ended_ = true;
        }
        news_.notify_one();
        thread_.join();
    }
    void run(filter::merge_job& job) {
        done.store(false);
        {
            const std::lock_guard held(guard_);
            next_ = &job;
        }
        news_.notify_one();
    }

    std::atomic<bool> done{false};

private:
    void work() {
        constexpr int lowest_priority = 19;
        setpriority(PRIO_PROCESS, 0, lowest_priority);
        std::unique_lock held(guard_);
        for (;;) {
            news_.wait(held, [this] { return ended_ || next_ != nullptr; });
            if (ended_)
                return;
            filter::merge_job* const job = std::exchange(next_, nullptr);
            held.unlock();
            job->run();
            done.store(true);
            held.lock();
        }
    }

    std::mutex guard_;
    std::condition_variable news_;
    filter::merge_job* next_ = nullptr;
    bool ended_ = false;
    std::thread thread_;
};

// --- control

enum class kind { added, deleted };
constexpr std::array<const char*, 2> names{"ADD", "DELETE"};

/// Nanoseconds.
struct sample {
    std::int64_t from_publication = 0;
    std::int64_t from_request = 0;
};

class control {
public:
    control(data_path& path, const filter::sets::filter_set& set, std::size_t in_place)
        : path_(&path), set_(&set), live_(limits()) {
        packet::encapsulation outer;
        outer.source = {ip_address::v4(0xC6336409), 40000};
        outer.destination = {ip_address::v4(0xC0000205), 2300};
        header_.push_back(packet::header_template::make(outer).value());
        for (std::size_t i = 0; i < in_place; ++i)
            put(set.filters()[i], other_stream, &others_);
        next_filter_ = in_place;
        publish();
        auto whole = live_.begin_merge(filter::merge_aim::whole);
        if (whole) {
            whole->run();
            live_.finish(std::move(*whole));
            publish();
        }
    }

    /// The criterion that is measured, and one other the same way.
    void change(kind what) {
        if (what == kind::added) {
            marked_ = put(marked_filter(), marked_stream, nullptr);
            put(set_->filters()[next_filter_++ % set_->filters().size()], other_stream, &others_);
        } else {
            drop(marked_);
            std::swap(others_[random_() % others_.size()], others_.back());
            drop(others_.back());
            others_.pop_back();
        }
    }

    void publish() {
        snapshot next;
        next.criteria = std::make_shared<const filter::classifier>(live_.version());
        next.actions = actions_;
        last_ = path_->publish(std::move(next));
        if (job_)
            return;
        job_ = live_.begin_merge();
        if (job_)
            background_.run(*job_);
    }

    /// What else an access point does between requests.
    void look_around() {
        path_->settled();
        if (!job_ || !background_.done.load() || path_->in_force() < last_)
            return;
        live_.finish(std::move(*job_));
        job_.reset();
        ++merges;
        publish();
    }

    std::size_t merges = 0;

private:
    static filter::classifier_limits limits() {
        filter::classifier_limits with;
        with.criteria = default_slots;
        return with;
    }
    static filter_spec marked_filter() {
        filter_spec spec;
        spec.families = family::inet;
        const address_bits bits{0, marked_address};
        spec.destination_addresses.entries.push_back({{bits, bits}, false});
        return spec;
    }
    slot_id put(const filter_spec& spec, stream_id to, std::vector<slot_id>* kept) {
        slot_id slot;
        if (!path_->acquire(slot) ||
            !live_.insert(filter::criterion::make(slot, spec).value()).has_value()) {
            std::fprintf(stderr, "there is no room for a criterion\n");
            std::exit(1);
        }
        action then;
        then.targets.push_back({to, {}, header_.front()});
        actions_.assign(slot, std::move(then));
        if (kept != nullptr)
            kept->push_back(slot);
        return slot;
    }
    void drop(slot_id slot) {
        path_->stop(slot);
        live_.erase(slot);
        actions_.erase(slot);
        path_->release(slot);
    }

    data_path* path_;
    const filter::sets::filter_set* set_;
    filter::live_classifier live_;
    action_table actions_;
    std::vector<packet::header_template> header_;
    std::vector<slot_id> others_;
    std::size_t next_filter_ = 0;
    slot_id marked_;
    generation last_;
    std::mt19937 random_{20'240'601};
    std::optional<filter::merge_job> job_;
    background_thread background_;
};

// --- the runs and what they print

struct options {
    std::size_t changes = 4000;
    std::size_t workers = 1;
    const char* csv = nullptr;
};

using samples = std::map<std::pair<std::size_t, kind>, std::vector<sample>>; ///< by worker

double at(const std::vector<std::int64_t>& sorted, double share) {
    const auto last = static_cast<double>(sorted.size() - 1);
    return static_cast<double>(sorted[static_cast<std::size_t>(std::llround(share * last))]) / 1e3;
}

void print(std::size_t in_place, std::size_t worker, kind what, const char* from,
           std::vector<std::int64_t> all) {
    std::sort(all.begin(), all.end());
    std::printf("%7zu  %6zu  %-6s  %-11s  %7zu  %8.1f  %8.1f  %8.1f  %8.1f  %8.1f\n", in_place,
                worker, names[static_cast<std::size_t>(what)], from, all.size(), at(all, 0.5),
                at(all, 0.9), at(all, 0.99), at(all, 0.999), at(all, 1.0));
}

/// Ten columns a decade, from 1 us on.
void write_histogram(std::ofstream& out, std::size_t in_place, std::size_t worker, kind what,
                     const char* from, const std::vector<std::int64_t>& all) {
    std::map<int, std::size_t> columns;
    for (const std::int64_t each : all) {
        const double us = std::max(1.0, static_cast<double>(each) / 1e3);
        ++columns[static_cast<int>(std::floor(std::log10(us) * 10))];
    }
    for (const auto& [column, count] : columns)
        out << in_place << ',' << worker << ',' << names[static_cast<std::size_t>(what)] << ','
            << from << ',' << std::pow(10, column / 10.0) << ','
            << std::pow(10, (column + 1) / 10.0) << ',' << count << '\n';
}

void report(std::ofstream& out, std::size_t in_place, const samples& found) {
    for (const auto& [which, all] : found) {
        std::vector<std::int64_t> published;
        std::vector<std::int64_t> requested;
        for (const sample& each : all) {
            published.push_back(each.from_publication);
            requested.push_back(each.from_request);
        }
        const auto& [worker, what] = which;
        print(in_place, worker, what, "publication", published);
        print(in_place, worker, what, "request", requested);
        write_histogram(out, in_place, worker, what, "publication", published);
        write_histogram(out, in_place, worker, what, "request", requested);
    }
}

/// Waits, looking around, until `until` is true or some time that no worker should need has passed.
template <class Condition>
bool wait_for(control& by, const Condition& until) {
    constexpr std::int64_t patience = 10'000'000'000;
    for (const std::int64_t begin = now(); now() - begin < patience;) {
        if (until())
            return true;
        by.look_around();
        std::this_thread::sleep_for(std::chrono::microseconds(5));
    }
    return false;
}

/// Makes changes, at random intervals, and waits for each until all workers act on it.
bool make_changes(control& by, const std::vector<const watching_sink*>& sinks, std::size_t count,
                  samples& found) {
    std::mt19937 random(4711);
    for (std::size_t i = 0; i < count; ++i) {
        const kind what = i % 2 == 0 ? kind::added : kind::deleted;
        const std::int64_t until = now() + 20'000 + random() % 600'000;
        wait_for(by, [&] { return now() >= until; });

        const std::int64_t requested = now();
        by.change(what);
        const std::int64_t published = now();
        by.publish();
        for (std::size_t worker = 0; worker < sinks.size(); ++worker) {
            std::optional<std::int64_t> seen;
            if (!wait_for(by, [&] { return (seen = sinks[worker]->changed(requested)); }))
                return false;
            found[{worker, what}].push_back(
                {std::max<std::int64_t>(0, *seen - published), *seen - requested});
        }
    }
    return true;
}

bool measure(std::size_t in_place, const options& chosen, std::ofstream& out) {
    // As many again come and go; the trace meets those that are in place at first.
    filter::sets::filter_set set(filter::sets::set_shape::intercept, family::inet, in_place, 1);
    const auto trace = set.trace(trace_length, hit_percent);
    data_path path;
    std::vector<const watching_sink*> sinks;
    std::vector<worker*> workers;
    for (std::size_t i = 0; i < chosen.workers; ++i) {
        auto to = std::make_unique<watching_sink>();
        sinks.push_back(to.get());
        workers.push_back(&path.add_worker(std::make_unique<endless_source>(trace), std::move(to),
                                           {.batch = batch}));
    }
    control by(path, set, in_place);
    std::vector<std::thread> threads;
    for (worker* each : workers)
        threads.emplace_back([each, core = threads.size() + 1] {
            run_on_core(core);
            each->run();
        });
    const std::int64_t begin = now();
    samples found;
    const bool done = make_changes(by, sinks, chosen.changes, found);
    const double seconds = static_cast<double>(now() - begin) / 1e9;
    for (worker* each : workers)
        each->request_stop();
    for (std::thread& each : threads)
        each.join();
    report(out, in_place, found);
    const path_counters counted = path.counters();
    std::printf("%7zu  %zu merges in %.1f s; %.1f million packets a second and worker, of which "
                "%.1f %% were copied\n",
                in_place, by.merges, seconds,
                static_cast<double>(counted.seen) / seconds / 1e6 /
                    static_cast<double>(chosen.workers),
                100.0 * static_cast<double>(counted.tapped) / static_cast<double>(counted.seen));
    if (!done)
        std::fprintf(stderr, "a worker did not act on a change within ten seconds\n");
    return done;
}

std::string processor() {
    std::ifstream from("/proc/cpuinfo");
    for (std::string line; std::getline(from, line);)
        if (line.starts_with("model name"))
            return line.substr(line.find(':') + 2);
    return "unknown";
}

} // namespace

int main(int argc, char** argv) {
    run_on_core(0);
    options chosen;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (std::strcmp(argv[i], "--changes") == 0)
            chosen.changes = std::strtoul(argv[i + 1], nullptr, 10);
        else if (std::strcmp(argv[i], "--workers") == 0)
            chosen.workers = std::strtoul(argv[i + 1], nullptr, 10);
        else if (std::strcmp(argv[i], "--csv") == 0)
            chosen.csv = argv[i + 1];
    }
    std::ofstream out;
    if (chosen.csv != nullptr)
        out.open(chosen.csv);
    out << "criteria,worker,change,from,least_us,less_than_us,count\n";
    std::printf("%s, %u cores; %zu changes, %zu workers, %u %% of the packets hit; microseconds\n",
                processor().c_str(), std::thread::hardware_concurrency(), chosen.changes,
                chosen.workers, hit_percent);
    std::printf("%7s  %6s  %-6s  %-11s  %7s  %8s  %8s  %8s  %8s  %8s\n", "in place", "worker",
                "change", "from", "samples", "median", "90 %", "99 %", "99.9 %", "most");
    bool good = true;
    for (const std::size_t in_place : {std::size_t{100}, std::size_t{3000}, std::size_t{100'000}})
        good = measure(in_place, chosen, out) && good;
    return good ? 0 : 1;
}
