// SPDX-License-Identifier: Apache-2.0
// Reads changes of a live classifier from the input: inserts, erasures, merges in any order of
// their steps, versions, limits. Every version, and some from the past once more, are held against
// the definitions with packets at the borders of their filters. What was accepted never fails.
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <flowtap/filter/live_classifier.hpp>

#include "filter_input.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::fuzzing;

namespace {

constexpr std::size_t most_criteria = 700;
constexpr std::size_t most_versions = 24;

classifier_limits draw_limits(fuzz_input& input) {
    const std::uint8_t kind = input.octet();
    classifier_limits limits;
    if ((kind & 0x01U) != 0)
        limits.criteria = input.octet() * 3U;
    if ((kind & 0x02U) != 0)
        limits.entries = input.octet() * 8U;
    if ((kind & 0x04U) != 0)
        limits.memory = std::size_t{input.octet()} << 12U;
    return limits;
}

class session {
public:
    explicit session(fuzz_input& input)
        : input_(input), limits_(draw_limits(input)),
          live_(limits_, static_cast<code_path>(input.octet() % 4U)) {}

    void run() {
        while (!input_.done())
            step();
        look();
        job_.reset();
        while (auto job = live_.begin_merge(merge_aim::whole)) {
            job->run();
            live_.finish(*std::move(job));
        }
        look();
        for (const moment& one : past_)
            compare(one.version, one.criteria, one.keys);
    }

private:
    struct moment {
        classifier version;
        std::vector<criterion> criteria;
        std::vector<packet_key> keys;
    };

    void step() {
        const std::uint8_t kind = input_.octet();
        switch (kind % 16U) {
        case 0:
        case 1:
        case 2:
        case 3:
            insert(slot_id(input_.octet()), draw_filter(input_));
            break;
        case 4:
        case 5:
            insert_run(draw_filter(input_));
            break;
        case 6:
        case 7:
            erase(slot_id(input_.octet()));
            break;
        case 8:
            erase_run();
            break;
        case 9:
        case 10:
        case 11:
            look();
            break;
        case 12:
            if (!job_)
                job_ = live_.begin_merge(kind < 0x80 ? merge_aim::steady : merge_aim::whole);
            break;
        case 13:
            if (job_)
                job_->run();
            break;
        case 14:
            if (job_)
                live_.finish(*std::exchange(job_, std::nullopt));
            break;
        default:
            job_.reset();
            if (kind >= 0x80) {
                limits_ = draw_limits(input_);
                live_.limit(limits_);
            }
            break;
        }
        require(live_.size() == criteria_.size());
    }

    void insert(slot_id slot, filter_spec spec) {
        auto made = criterion::make(slot, std::move(spec));
        if (!made || criteria_.size() >= most_criteria)
            return;
        const bool is_new = !criteria_.contains(slot);
        if (live_.insert(*made)) {
            require(is_new && criteria_.size() < limits_.criteria);
            criteria_.emplace(slot, *std::move(made));
        }
        require((live_.find(slot) != nullptr) == criteria_.contains(slot));
    }

    /// The same filter many times, for one host after the other, or always for the same.
    void insert_run(filter_spec spec) {
        const std::uint8_t count = input_.octet();
        const bool moves = (input_.octet() & 1U) != 0;
        const std::uint32_t first = std::uint32_t{input_.octet()} * 3U;
        for (std::uint32_t i = 0; i < count; ++i) {
            if (moves && !spec.destination_addresses.is_wildcard()) {
                auto& host = spec.destination_addresses.entries.front();
                host.last = host.first = {host.first.high, (host.first.low + 1) & 0xFFFF'FFFFU};
            }
            insert(slot_id(first + i), spec);
        }
    }

    void erase(slot_id slot) {
        require(live_.erase(slot) == (criteria_.erase(slot) == 1));
        require(live_.find(slot) == nullptr);
    }

    void erase_run() {
        const std::uint8_t count = input_.octet();
        const std::uint32_t first = std::uint32_t{input_.octet()} * 3U;
        for (std::uint32_t i = 0; i < count; ++i)
            erase(slot_id(first + i));
    }

    void look() {
        if (++looks_ > most_versions)
            return;
        moment now{live_.version(), {}, {}};
        for (const auto& [slot, one] : criteria_)
            now.criteria.push_back(one);
        require(now.version.cost().criteria == criteria_.size());
        for (int i = 0; i < 6; ++i) {
            const std::uint8_t which = input_.octet();
            now.keys.push_back(
                now.criteria.empty()
                    ? draw_packet(input_)
                    : draw_packet_near(input_,
                                       now.criteria[which * 7U % now.criteria.size()].spec()));
        }
        compare(now.version, now.criteria, now.keys);
        if (past_.size() < 6)
            past_.push_back(std::move(now));
        else
            past_[looks_ % 6] = std::move(now);
    }

    fuzz_input& input_;
    classifier_limits limits_;
    live_classifier live_;
    std::map<slot_id, criterion> criteria_;
    std::optional<merge_job> job_;
    std::vector<moment> past_;
    std::size_t looks_ = 0;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz_input input(std::span(data, std::min<std::size_t>(size, 4096)));
    session(input).run();
    return 0;
}
