// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <vector>

#include <flowtap/core/result.hpp>
#include <flowtap/filter/classifier.hpp>

#include "engine.hpp"
#include "hits.hpp"

namespace flowtap::filter {

using criterion_pointer = std::shared_ptr<const criterion>;

/// How many entries the lists of a filter have.
std::size_t count_entries(const filter_spec& spec) noexcept;
/// The octets that a criterion itself takes.
std::size_t kept_memory(const criterion& what) noexcept;
/// The most octets that a criterion takes when it is compiled, beside what a level takes anyhow.
std::size_t compiled_memory(const filter_spec& spec) noexcept;

/// A compiled set of criteria. Nothing but the deaths of its entries changes once it is built.
class level {
public:
    /// Compiles `criteria`, whose slots ascend; they may be forgotten afterwards.
    /// Errors: `errc::too_much_memory` if it takes more than `memory` octets.
    static result<std::unique_ptr<level>> build(std::span<const criterion* const> criteria,
                                                std::size_t memory, code_path path);

    /// Adds all matches of the packets of a chunk to `found`.
    void find(std::span<const packet_key> keys, hit_list& found) const noexcept {
        found.enter(entries_.get());
        code_.match(set_, keys, found);
    }

    /// A bit for each of the packets that `find` may find something for.
    std::uint64_t sift(const sifted_packets& packets) const noexcept {
        return set_.inet.must_ask_all() ? packets.all() : code_.sift(set_, packets);
    }

    /// By slot, ascending.
    std::span<const entry> entries() const noexcept { return {entries_.get(), count_}; }
    /// The entry of `slot`, or null. Takes logarithmic time.
    entry* find(slot_id slot) noexcept;

    /// Lets the level own the criteria that it was compiled from, in the order of its entries.
    void keep(std::vector<criterion_pointer> criteria) noexcept;
    std::span<const criterion_pointer> kept() const noexcept { return kept_; }
    /// Octets of these.
    std::size_t kept_memory() const noexcept { return kept_memory_; }

    /// Adds what the level costs to `cost`, but for the numbers of criteria and their entries.
    void add_to(classifier_cost& cost) const noexcept;

private:
    level() = default;

    compiled_set set_;
    match_code code_;
    std::unique_ptr<entry[]> entries_;
    std::size_t count_ = 0;
    std::chrono::nanoseconds build_time_{0};
    std::vector<criterion_pointer> kept_;
    std::size_t kept_memory_ = 0;
};

} // namespace flowtap::filter
