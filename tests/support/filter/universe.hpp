// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include "compare.hpp"

namespace flowtap::filter::testing {

/// Filters over tiny domains, and all packets there are in them: each filter is held against each
/// packet, alone and together with the others. The answers of the definitions are kept as a table.
class universe {
public:
    void add(const filter_spec& spec) {
        const slot_id slot(static_cast<std::uint32_t>(criteria_.size()));
        criteria_.push_back(criterion::make(slot, spec).value());
    }
    void add(const packet_key& key) { keys_.push_back(key); }

    std::size_t filters() const { return criteria_.size(); }
    std::size_t packets() const { return keys_.size(); }

    /// All filters in one classifier, and each in one of its own. `combinations` is how many pairs
    /// of filter and packet there have to be, so that a universe does not shrink unseen.
    void check(std::size_t combinations) const {
        REQUIRE(criteria_.size() * keys_.size() == combinations);
        const auto table = answers();
        check_together(table, all(), code_paths);
        for (std::size_t one = 0; one < criteria_.size(); ++one)
            check_together(table, {one}, code_paths);
    }

    /// Every two filters in a classifier, the code paths taking turns.
    void check_pairs(std::size_t pairs) const {
        REQUIRE(criteria_.size() * (criteria_.size() - 1) / 2 == pairs);
        const auto table = answers();
        for (std::size_t one = 0; one < criteria_.size(); ++one) {
            for (std::size_t two = one + 1; two < criteria_.size(); ++two)
                check_together(table, {one, two},
                               std::span(code_paths).subspan((one + two) % 4, 1));
        }
    }

    /// Sets of `size` filters, drawn at random; one can be in a set many times.
    void check_draws(std::size_t size, unsigned draws, std::uint64_t seed) const {
        INFO("seed " << seed << ", " << size << " filters");
        std::mt19937_64 random(seed);
        const auto table = answers();
        for (unsigned draw = 0; draw < draws; ++draw) {
            std::vector<std::size_t> members;
            for (std::size_t i = 0; i < size; ++i)
                members.push_back(random() % criteria_.size());
            check_together(table, members, code_paths);
        }
    }

private:
    /// For each filter, whether each packet meets it.
    using answer_table = std::vector<std::vector<bool>>;

    answer_table answers() const {
        answer_table table;
        for (const criterion& one : criteria_) {
            auto& row = table.emplace_back();
            for (const packet_key& key : keys_)
                row.push_back(matches(one.spec(), key));
        }
        return table;
    }

    std::vector<std::size_t> all() const {
        std::vector<std::size_t> members;
        for (std::size_t i = 0; i < criteria_.size(); ++i)
            members.push_back(i);
        return members;
    }

    void check_together(const answer_table& table, const std::vector<std::size_t>& members,
                        std::span<const code_path> paths) const {
        std::vector<criterion> chosen;
        std::vector<slot_list> expected(keys_.size());
        for (std::size_t i = 0; i < members.size(); ++i) {
            const slot_id slot(static_cast<std::uint32_t>(i));
            chosen.push_back(criterion::make(slot, criteria_[members[i]].spec()).value());
            for (std::size_t key = 0; key < keys_.size(); ++key) {
                if (table[members[i]][key])
                    expected[key].push_back(slot);
            }
        }
        match_buffer found(keys_.size(), std::max(keys_.size(), 4 * members.size()));
        for (const code_path path : paths) {
            const auto built = classifier::build(chosen, {}, path).value();
            INFO("code path " << static_cast<int>(path) << ", first filter " << members.front()
                              << ", last filter " << members.back());
            REQUIRE(first_difference(built, keys_, expected, found) == keys_.size());
        }
    }

    std::vector<criterion> criteria_;
    std::vector<packet_key> keys_;
};

} // namespace flowtap::filter::testing
