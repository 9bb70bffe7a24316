// SPDX-License-Identifier: Apache-2.0
// The classifier, compiled at once and while it changes.
#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>
#include <optional>

#include <flowtap/filter/classifier.hpp>
#include <flowtap/filter/live_classifier.hpp>

#include "clock.hpp"
#include "side.hpp"

namespace flowtap::bench {

using namespace filter;

namespace {

constexpr classifier_limits no_limits = {1'000'000, std::size_t{8} << 30, 100'000'000};

class classifier_side final : public side {
public:
    classifier_side(const workload& load, classifier with, std::size_t heap)
        : load_(load), with_(std::move(with)), buffer_(batch, batch * 64 + load.criteria.size()),
          heap_(heap) {}

    void match(std::size_t first, std::size_t count) override {
        if (with_.match(std::span(load_.keys).subspan(first, count), buffer_) != count)
            refuse("the buffer is too small for the matches");
    }
    void found(std::size_t index, std::vector<std::uint32_t>& numbers) const override {
        numbers.clear();
        for (const slot_id slot : buffer_.matches(index))
            numbers.push_back(slot.value());
    }
    std::string figures() const override {
        const classifier_cost cost = with_.cost();
        std::array<char, 512> text{};
        std::snprintf(text.data(), text.size(),
                      ", \"memory\": %zu, \"heap\": %zu, \"build_ms\": %.4f, \"probes_inet\": %zu, "
                      "\"probes_inet6\": %zu, \"groups_inet\": %zu, \"groups_inet6\": %zu, "
                      "\"unmerged\": %zu",
                      cost.memory, heap_,
                      std::chrono::duration<double, std::milli>(cost.build_time).count(),
                      cost.probes_inet, cost.probes_inet6, cost.groups_inet, cost.groups_inet6,
                      cost.unmerged);
        return text.data();
    }

private:
    const workload& load_;
    classifier with_;
    match_buffer buffer_;
    std::size_t heap_;
};

void merge_all(live_classifier& live, merge_aim aim) {
    while (auto job = live.begin_merge(aim)) {
        job->run();
        live.finish(std::move(*job));
    }
}

void insert(live_classifier& live, std::span<const criterion> criteria) {
    for (const criterion& one : criteria) {
        if (!live.insert(one))
            refuse("the live classifier takes no more criteria");
    }
}

/// Changes between two merges in the background.
constexpr std::size_t changes_between_merges = 64;

/// How many criteria come one by one after a merge of all others.
std::size_t late_criteria(const workload& load) {
    return std::min<std::size_t>(load.criteria.size() - load.criteria.size() / 4, 4096);
}

/// How many of these are to be inserted so that most of them are unmerged, though the classifier
/// has merged by itself before, if it ever does.
std::size_t most_unmerged(const workload& load) {
    const std::span all(load.criteria);
    const auto late = all.last(late_criteria(load));
    live_classifier live(no_limits);
    insert(live, all.first(all.size() - late.size()));
    merge_all(live, merge_aim::whole);
    std::size_t best = 0;
    std::size_t unmerged = 0;
    for (std::size_t i = 0; i < late.size(); ++i) {
        insert(live, late.subspan(i, 1));
        const std::size_t now = live.version().cost().unmerged;
        if (now >= unmerged) {
            unmerged = now;
            best = i + 1;
        }
    }
    return best;
}

/// A classifier of which `late` criteria came one by one. 0 for `merge_every`: nobody merges.
std::unique_ptr<side> make_live(const workload& load, std::size_t late, std::size_t merge_every) {
    const std::size_t before = heap_in_use();
    live_classifier live(no_limits);
    const std::span all(load.criteria);
    insert(live, all.first(all.size() - late));
    merge_all(live, merge_aim::whole);
    for (std::size_t i = 1; i <= late; ++i) {
        insert(live, all.last(late).subspan(i - 1, 1));
        (void)live.version();
        if (merge_every != 0 && i % merge_every == 0)
            merge_all(live, merge_aim::steady);
    }
    classifier now = live.version();
    const std::size_t heap = heap_in_use() - before;
    return std::make_unique<classifier_side>(load, std::move(now), heap);
}

std::optional<code_path> path_named(std::string_view name) {
    if (name == "ours")
        return code_path::fastest;
    if (name == "portable")
        return code_path::portable;
    if (name == "avx2")
        return code_path::avx2;
    if (name == "avx512")
        return code_path::avx512;
    return {};
}

} // namespace

std::unique_ptr<side> make_ours(const workload& load, std::string_view name) {
    if (name == "merged")
        return make_live(load, 0, 0);
    if (name == "steady")
        return make_live(load, late_criteria(load), changes_between_merges);
    if (name == "overlaid")
        return make_live(load, most_unmerged(load), 0);
    const auto path = path_named(name);
    if (!path)
        return nullptr;
    const std::size_t before = heap_in_use();
    auto built = classifier::build(load.criteria, no_limits, *path);
    if (!built)
        refuse("the criteria do not compile: " + built.error().code.message());
    const std::size_t heap = heap_in_use() - before;
    return std::make_unique<classifier_side>(load, std::move(*built), heap);
}

namespace {

/// The times of changes to a live classifier, in microseconds, in order of length.
class change_times {
public:
    void add(std::chrono::nanoseconds time) {
        times_.push_back(std::chrono::duration<double, std::micro>(time).count());
    }
    std::string as_json(const char* prefix) {
        std::ranges::sort(times_);
        const auto at = [this](std::size_t thousandth) {
            return times_[(times_.size() - 1) * thousandth / 1000];
        };
        const double mean =
            std::accumulate(times_.begin(), times_.end(), 0.0) / static_cast<double>(times_.size());
        std::array<char, 256> text{};
        std::snprintf(text.data(), text.size(),
                      "\"%sp50_us\": %.3f, \"%sp99_us\": %.3f, \"%smax_us\": %.3f, "
                      "\"%smean_us\": %.3f",
                      prefix, at(500), prefix, at(990), prefix, at(1000), prefix, mean);
        return text.data();
    }

private:
    std::vector<double> times_;
};

/// One DELETE, one ADD and the version that has both. After each `merge_every` of them the work
/// that the classifier hands out is done, which is added to `background`; 0: nobody does it.
change_times time_changes(const workload& load, std::size_t changes, std::size_t merge_every,
                          std::chrono::nanoseconds& background) {
    live_classifier live(no_limits);
    insert(live, load.criteria);
    merge_all(live, merge_aim::whole);
    classifier in_force = live.version();
    change_times times;
    for (std::size_t i = 0; i < changes; ++i) {
        const criterion& one = load.criteria[i * 7919 % load.criteria.size()];
        const auto begin = thread_time();
        live.erase(one.slot());
        (void)live.insert(one);
        in_force = live.version();
        const auto end = thread_time();
        times.add(end - begin);
        if (merge_every == 0 || (i + 1) % merge_every != 0)
            continue;
        merge_all(live, merge_aim::steady);
        background += thread_time() - end;
    }
    return times;
}

} // namespace

std::string time_updates(const workload& load, std::size_t changes) {
    std::chrono::nanoseconds background{0};
    auto merged = time_changes(load, changes, changes_between_merges, background);
    const std::chrono::duration<double, std::micro> work = background;
    auto alone = time_changes(load, changes, 0, background);
    std::string text = "{";
    text += merged.as_json("");
    text += ", \"background_us\": ";
    text += std::to_string(work.count() / static_cast<double>(changes));
    text += ", ";
    text += alone.as_json("alone_");
    text += '}';
    return text;
}

} // namespace flowtap::bench
