// SPDX-License-Identifier: Apache-2.0
// A live classifier driven through random sequences of everything that can be done with it, beside
// a map of what should be in it. Versions made earlier are kept and looked at again.
#include <flowtap/filter/live_classifier.hpp>

#include <array>
#include <map>
#include <optional>
#include <ostream>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "border_packets.hpp"
#include "compare.hpp"
#include "random_filters.hpp"
#include "set_shapes.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::testing;

namespace {

std::error_code code_of(const result<void>& outcome) {
    return outcome ? std::error_code() : outcome.error().code;
}

/// A live classifier, what it should hold, and versions of it with what they should find.
class model {
public:
    model(std::uint64_t seed, std::uint32_t slots, const classifier_limits& limits = {})
        : slots_(slots), limits_(limits), random_(seed), borders_(seed),
          live_(limits, code_paths[seed % code_paths.size()]) {}

    /// One thing out of all that can be done.
    void step() {
        const auto dice = borders_.below(100);
        if (dice < 45)
            insert();
        else if (dice < 70)
            erase();
        else if (dice < 80)
            keep_version();
        else if (dice < 85)
            look_at_kept();
        else
            step_of_merge();
        REQUIRE(live_.size() == criteria_.size());
    }

    /// Inserts into a slot that may be taken, or may have been another criterion's just now.
    void insert() {
        const criterion what = criterion::make(any_slot(), some_filter()).value();
        const bool taken = criteria_.contains(what.slot());
        const bool full = criteria_.size() >= limits_.criteria;
        const auto code = code_of(live_.insert(what));
        // Which of several reasons is named is left open.
        const bool is_limit = code == filter::errc::too_many_criteria ||
                              code == filter::errc::too_many_entries ||
                              code == filter::errc::too_much_memory;
        if (taken) {
            REQUIRE((code == filter::errc::duplicate_slot || is_limit));
        } else if (full) {
            REQUIRE(is_limit);
        } else if (code) {
            REQUIRE(
                (code == filter::errc::too_much_memory || code == filter::errc::too_many_entries));
            ++refused_;
        } else {
            criteria_.emplace(what.slot(), what);
            inserted_.push_back(what.spec());
        }
        look_up(what.slot());
    }

    void erase() {
        const slot_id slot = any_slot();
        REQUIRE(live_.erase(slot) == (criteria_.erase(slot) == 1));
        look_up(slot);
    }

    void keep_version() {
        kept_version made{live_.version(), listed(), {}, {}};
        if (inserted_.empty())
            return;
        // Packets near what is there, what was there, and nothing.
        for (int i = 0; i < 24; ++i)
            made.keys.push_back(borders_.chance(80) ? borders_.near(recent())
                                                    : random_.packet(random_.any_family()));
        made.expected = oracle(made.criteria, made.keys);
        look_at(made);
        REQUIRE(made.made.cost().criteria == criteria_.size());
        REQUIRE(live_.cost().criteria == criteria_.size());
        // Overlays, and the tables of engines, are there with any criteria.
        REQUIRE(live_.cost().memory <= limits_.memory + 1'500'000);
        REQUIRE(live_.cost().unmerged <= 1024);
        ++versions_;
        if (kept_.size() < 10)
            kept_.push_back(std::move(made));
        else
            kept_[borders_.below(kept_.size())] = std::move(made);
    }

    void look_at_kept() const {
        for (const kept_version& one : kept_)
            look_at(one);
    }

    void limit(const classifier_limits& limits) {
        limits_ = limits;
        live_.limit(limits);
    }

    /// Everything once more, merged as far as it goes.
    void end() {
        keep_version();
        job_.reset();
        for (int rounds = 0; rounds < 100; ++rounds) {
            auto job = live_.begin_merge(some_aim());
            if (!job)
                break;
            job->run();
            live_.finish(*std::move(job));
            ++merges_;
        }
        keep_version();
        look_at_kept();
        while (!criteria_.empty()) {
            const slot_id slot = criteria_.begin()->first;
            criteria_.erase(criteria_.begin());
            REQUIRE(live_.erase(slot));
        }
        keep_version();
        look_at_kept();
    }

    /// A job's work on another thread, while `steps` other things are done.
    void merge_beside(int steps) {
        job_.reset();
        auto job = live_.begin_merge(merge_aim::whole);
        if (!job)
            return;
        std::thread background([&] { job->run(); });
        for (int i = 0; i < steps; ++i) {
            const auto dice = borders_.below(10);
            if (dice < 5)
                insert();
            else if (dice < 8)
                erase();
            else
                keep_version();
        }
        background.join();
        live_.finish(*std::move(job));
        ++merges_;
        keep_version();
    }

    std::size_t size() const { return criteria_.size(); }
    std::size_t merges() const { return merges_; }
    std::size_t versions() const { return versions_; }
    std::size_t refused() const { return refused_; }
    live_classifier& live() { return live_; }

private:
    struct kept_version {
        classifier made;
        std::vector<criterion> criteria;
        std::vector<packet_key> keys;
        std::vector<slot_list> expected;
    };

    slot_id any_slot() {
        return slot_id(static_cast<std::uint32_t>(borders_.below(slots_)) * 7919U);
    }

    filter_spec some_filter() {
        if (borders_.chance(50))
            return random_.filter(random_.chance(40) ? family::inet6 : family::inet);
        const auto shape = hard_shapes[borders_.below(hard_shapes.size())];
        const family of = random_.chance(40) ? family::inet6 : family::inet;
        return hard_filters(shape, of, borders_.below(~0U)).next();
    }

    merge_aim some_aim() { return borders_.chance(50) ? merge_aim::steady : merge_aim::whole; }

    const filter_spec& recent() {
        const std::size_t last = std::min<std::size_t>(inserted_.size(), 3UL * slots_);
        return inserted_[inserted_.size() - 1 - borders_.below(last)];
    }

    std::vector<criterion> listed() const {
        std::vector<criterion> all;
        for (const auto& [slot, one] : criteria_)
            all.push_back(one);
        return all;
    }

    void look_up(slot_id slot) const {
        const criterion* const there = live_.find(slot);
        const auto expected = criteria_.find(slot);
        REQUIRE((there != nullptr) == (expected != criteria_.end()));
        if (there != nullptr) {
            REQUIRE(there->slot() == slot);
            REQUIRE(there->spec() == expected->second.spec());
        }
    }

    static void look_at(const kept_version& one) {
        match_buffer found(one.keys.size(), 24 * (one.criteria.size() + 1));
        REQUIRE(first_difference(one.made, one.keys, one.expected, found) == one.keys.size());
    }

    /// Begins, runs, finishes or drops a job, in whatever order the dice say.
    void step_of_merge() {
        if (!job_) {
            job_ = live_.begin_merge(some_aim());
            has_run_ = false;
            return;
        }
        REQUIRE_FALSE(live_.begin_merge().has_value());
        const auto dice = borders_.below(10);
        if (dice < 5 && !has_run_) {
            job_->run();
            has_run_ = true;
        } else if (dice < 8) {
            merges_ += has_run_ ? 1 : 0;
            live_.finish(*std::exchange(job_, std::nullopt));
        } else if (dice == 8) {
            job_.reset();
        } else {
            live_classifier other;
            other.finish(*std::exchange(job_, std::nullopt));
            REQUIRE(other.size() == 0);
        }
    }

    std::uint32_t slots_;
    classifier_limits limits_;
    random_filters random_;
    border_packets borders_;
    live_classifier live_;
    std::map<slot_id, criterion> criteria_;
    std::vector<filter_spec> inserted_;
    std::vector<kept_version> kept_;
    std::optional<merge_job> job_;
    bool has_run_ = false;
    std::size_t merges_ = 0;
    std::size_t versions_ = 0;
    std::size_t refused_ = 0;
};

} // namespace

TEST_CASE("whatever is done with a live classifier, its versions are what the map says") {
    std::size_t merges = 0;
    for (const std::uint32_t slots : {1U, 8U, 64U, 65U, 200U, 1000U}) {
        for (std::uint64_t seed = 1; seed <= 6; ++seed) {
            INFO("seed " << seed << ", " << slots << " slots");
            model one(seed * 1000 + slots, slots);
            for (int i = 0; i < 700; ++i)
                one.step();
            one.end();
            merges += one.merges();
        }
    }
    CHECK(merges > 50);
}

TEST_CASE("changes of a set of thousands, merged on another thread meanwhile") {
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
        INFO("seed " << seed);
        model one(seed, 1500);
        for (int i = 0; i < 2000; ++i)
            one.insert();
        one.keep_version();
        for (int round = 0; round < 5; ++round) {
            for (int i = 0; i < 40; ++i)
                one.step();
            one.merge_beside(100);
        }
        one.end();
        CHECK(one.merges() > 0);
    }
}

TEST_CASE("ranges of ports that begin or end at octets' borders, before and after a merge") {
    constexpr std::array<std::uint16_t, 8> ends = {0, 1, 255, 256, 511, 512, 65280, 65535};
    live_classifier live;
    std::vector<criterion> criteria;
    std::vector<packet_key> keys;
    for (const std::uint16_t first : ends) {
        for (const std::uint16_t last : ends) {
            packet_key key = tcp("192.0.2.1", first, "192.0.2.2", last);
            keys.push_back(key);
            if (last < first)
                continue;
            filter_spec spec = wildcard(family::inet);
            spec.destination_addresses = host("192.0.2.2");
            const bool by_source = criteria.size() % 2 == 0;
            (by_source ? spec.source_ports : spec.destination_ports) =
                list<std::uint16_t>({{first, last, false}});
            const slot_id slot(static_cast<std::uint32_t>(criteria.size()));
            criteria.push_back(criterion::make(slot, spec).value());
            REQUIRE(live.insert(criteria.back()));
        }
    }
    const auto expected = oracle(criteria, keys);
    match_buffer found(keys.size(), keys.size() * criteria.size());
    REQUIRE(live.version().cost().unmerged == criteria.size());
    CHECK(first_difference(live.version(), keys, expected, found) == keys.size());
    auto job = live.begin_merge(merge_aim::whole);
    REQUIRE(job.has_value());
    job->run();
    live.finish(*std::move(job));
    CHECK(live.version().cost().unmerged == 0);
    CHECK(first_difference(live.version(), keys, expected, found) == keys.size());
}

TEST_CASE("versions of many overlays, when nobody merges") {
    model one(3, 5000);
    for (int i = 0; i < 1500; ++i) {
        one.insert();
        if (i % 7 == 0)
            one.erase();
        if (i % 10 == 0)
            one.keep_version();
    }
    one.look_at_kept();
    one.end();
}

TEST_CASE("the memory reserved for criteria is enough for them in every form") {
    for (const hard_shape shape : hard_shapes) {
        for (const family of : {family::inet, family::inet6}) {
            for (const std::size_t count : {1, 40, 64, 600}) {
                if (shape == hard_shape::long_lists && count == 600)
                    continue;
                INFO("shape " << static_cast<int>(shape) << ", " << count << " criteria");
                live_classifier live;
                std::uint32_t slot = 0; // dense, as slots are meant to be
                for (const criterion& one : hard_criteria(shape, of, count, count)) {
                    REQUIRE(live.insert(criterion::make(slot_id(slot++), one.spec()).value()));
                    if (count == 40)
                        live.version();
                }
                live.version();
                const std::size_t fixed = 150'000; // tables that are there with any criteria
                CHECK(live.cost().memory <= live.cost().reserved + fixed);
                if (auto job = live.begin_merge(merge_aim::whole)) {
                    job->run();
                    live.finish(*std::move(job));
                }
                CHECK(live.version().cost().memory <= live.cost().reserved + fixed);
            }
        }
    }
}

TEST_CASE("jobs that are dropped do not let overlays pile up") {
    live_classifier live;
    std::optional<merge_job> job;
    for (std::uint32_t i = 0; i < 6000; ++i) {
        filter_spec spec = wildcard(family::inet);
        spec.destination_addresses.entries = {entry(address_bits{0, i}, address_bits{0, i})};
        REQUIRE(live.insert(criterion::make(slot_id(i), spec).value()));
        const classifier made = live.version();
        REQUIRE(made.cost().unmerged <= 1024);
        if (i % 600 == 500) {
            job = live.begin_merge();
        } else if (i % 1200 == 1150) {
            job.reset();
        }
        packet_key key;
        key.destination = {0, i};
        match_buffer found(1, i + 1);
        REQUIRE(made.match(std::span(&key, 1), found) == 1);
        REQUIRE(found.matches(0).size() == 1);
    }
}

TEST_CASE("what a limit refuses changes nothing, and what it accepts never fails later") {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        INFO("seed " << seed);
        classifier_limits limits;
        limits.criteria = seed % 3 == 0 ? 90 : 100'000;
        limits.entries = seed % 3 == 1 ? 3000 : 4'000'000;
        limits.memory = seed % 3 == 2 ? std::size_t{1} << 20 : std::size_t{1} << 30;
        model one(seed, 3000, limits);
        for (int i = 0; i < 1500; ++i)
            one.step();
        CHECK(one.live().cost().entries <= limits.entries);
        CHECK((seed % 3 == 0 || one.refused() > 0));
        one.end();
    }
}

TEST_CASE("a lower limit leaves what is there, and a higher one lets more in") {
    model one(9, 500);
    for (int i = 0; i < 400; ++i)
        one.insert();
    const std::size_t before = one.size();
    classifier_limits limits;
    limits.criteria = 10;
    one.limit(limits);
    for (int i = 0; i < 200; ++i)
        one.step();
    CHECK(one.size() <= before);
    CHECK(one.size() > 10);
    one.limit({});
    for (int i = 0; i < 300; ++i)
        one.insert();
    CHECK(one.size() > before);
    one.end();
}
