// SPDX-License-Identifier: Apache-2.0
#include "probe_table.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <unordered_map>

namespace flowtap::filter {

namespace {

/// A handle and a rule that has it; the handle in the upper half, to be sorted by it.
using keyed_rule = std::uint64_t;

keyed_rule make_key(std::uint32_t handle, std::uint32_t rule) noexcept {
    return (keyed_rule{handle} << 32) | rule;
}
std::uint32_t handle_of(keyed_rule one) noexcept {
    return static_cast<std::uint32_t>(one >> 32);
}
std::uint32_t rule_of(keyed_rule one) noexcept {
    return static_cast<std::uint32_t>(one);
}

/// Sorts by handle, and by rule among the same.
void sort_by_handle(std::vector<keyed_rule>& keys) {
    if (keys.size() < 2048) {
        std::sort(keys.begin(), keys.end());
        return;
    }
    // Digit by digit; the rules are in order already.
    std::vector<keyed_rule> sorted(keys.size());
    for (const unsigned shift : {32U, 43U, 54U}) {
        std::array<std::uint32_t, 2049> starts{};
        for (const keyed_rule one : keys)
            ++starts[((one >> shift) & 2047) + 1];
        for (std::size_t i = 1; i < starts.size(); ++i)
            starts[i] += starts[i - 1];
        for (const keyed_rule one : keys)
            sorted[starts[(one >> shift) & 2047]++] = one;
        keys.swap(sorted);
    }
}

/// Calls `take` with each handle of `keys` and its rules.
template <class Take>
void for_each_run(std::span<const keyed_rule> keys, Take&& take) {
    for (std::size_t first = 0; first < keys.size();) {
        std::size_t last = first + 1;
        while (last < keys.size() && handle_of(keys[last]) == handle_of(keys[first]))
            ++last;
        take(handle_of(keys[first]), keys.subspan(first, last - first));
        first = last;
    }
}

/// Gives rules their places, those of one handle side by side. Runs of the same rules share one.
template <class Address>
class rule_placer {
public:
    rule_placer(std::span<const rule<Address>> from, std::vector<rule<Address>>& to)
        : from_(from), to_(to), alone_(from.size(), nowhere) {}

    /// Where the rules of `run` are; there is at least one.
    std::uint32_t place(std::span<const std::uint32_t> run) {
        std::uint32_t& known = run.size() == 1 ? alone_[run.front()] : several(run);
        if (known == nowhere || !stands_at(known, run)) {
            known = static_cast<std::uint32_t>(to_.size());
            for (const std::uint32_t one : run) {
                to_.push_back(from_[one]);
                placed_.push_back(one);
            }
        }
        return known;
    }

private:
    static constexpr std::uint32_t nowhere = 0xFFFF'FFFF;

    std::uint32_t& several(std::span<const std::uint32_t> run) {
        std::uint64_t hash = run.size();
        for (const std::uint32_t one : run)
            hash = std::rotl((hash ^ one) * 0x9E37'79B9'7F4A'7C15ULL, 29);
        return several_.try_emplace(hash, nowhere).first->second;
    }
    bool stands_at(std::uint32_t at, std::span<const std::uint32_t> run) const {
        return std::equal(run.begin(), run.end(), placed_.begin() + at);
    }

    std::span<const rule<Address>> from_;
    std::vector<rule<Address>>& to_;
    std::vector<std::uint32_t> placed_;
    std::vector<std::uint32_t> alone_;
    std::unordered_map<std::uint64_t, std::uint32_t> several_;
};

/// The steps for the parts that `probes` use, each after the one it builds on.
template <class Address>
std::vector<hash_step> steps_for(std::span<const probe> probes) {
    std::uint32_t needed = 0;
    for (const probe& one : probes) {
        for (std::size_t part : {one.shape.source, one.shape.destination, one.shape.other}) {
            for (; part != part_nothing; part = hash_layout<Address>::step(part).base)
                needed |= 1U << part;
        }
    }
    std::vector<hash_step> steps;
    for (std::size_t part = 0; part < part_nothing; ++part) {
        if ((needed & (1U << part)) != 0)
            steps.push_back(hash_layout<Address>::step(part));
    }
    return steps;
}

/// The words of a Bloom filter for so many handles: more in proportion for small ones, which are
/// in the nearest cache anyway, but as few as fit into registers where one packet in a hundred or
/// fewer pass by chance.
std::size_t words_for(std::size_t handles) {
    const std::size_t wanted = handles <= 64       ? probe::fewest_words
                               : handles <= 256    ? handles * 4
                               : handles <= 2048   ? handles * 2
                               : handles <= 12'288 ? handles * 3 / 4
                                                   : handles;
    return std::bit_ceil(wanted);
}

} // namespace

template <class Address>
void probe_table<Address>::build(std::span<const rule<Address>> from,
                                 std::span<const std::uint32_t> owners, const probe_plan& plan,
                                 std::vector<bool>& left) {
    std::vector<keyed_rule> keys;
    keys.reserve(from.size() + from.size() / 2);
    std::vector<std::size_t> handles_of_probe(plan.shapes.size());
    for (std::size_t i = 0; i < from.size(); ++i) {
        const std::uint8_t number = plan.shape_of[i];
        if (number == probe_plan::none)
            continue;
        const std::size_t before = keys.size();
        for_each_handle<Address>(
            from[i], plan.shapes[number], probe_salt(number), [&](std::uint32_t handle) {
                keys.push_back(make_key(handle, static_cast<std::uint32_t>(i)));
            });
        handles_of_probe[number] += keys.size() - before;
    }

    // The filters hold all handles, also those of criteria that are left to the groups.
    std::size_t all_words = 0;
    for (const std::size_t count : handles_of_probe)
        all_words += words_for(count);
    words_.assign(all_words, 0);
    std::uint32_t* next = words_.data();
    for (std::size_t i = 0; i < plan.shapes.size(); ++i) {
        const std::size_t words = words_for(handles_of_probe[i]);
        probes.push_back({plan.shapes[i], static_cast<std::uint8_t>(32 - std::countr_zero(words)),
                          probe_salt(i), next});
        next += words;
    }
    for (keyed_rule& one : keys) {
        const std::uint8_t number = plan.shape_of[rule_of(one)];
        const probe& of = probes[number];
        const auto word =
            static_cast<std::size_t>(of.words - words_.data()) + (handle_of(one) >> of.shift);
        words_[word] |= word_bits(handle_of(one));
        one = make_key(own_handle(handle_of(one), number), rule_of(one));
    }
    steps = steps_for<Address>(probes);
    for (const hash_step& step : steps)
        fields |= 1U << step.field;

    sort_by_handle(keys);
    std::size_t distinct = 0;
    for_each_run(keys, [&](std::uint32_t, std::span<const keyed_rule> run) {
        ++distinct;
        if (run.size() > handle_slot::most) {
            for (const keyed_rule one : run)
                left[owners[rule_of(one)]] = true;
        }
    });

    slots.assign(std::bit_ceil(std::max<std::size_t>(8, distinct + distinct / 2)), {});
    slot_shift = static_cast<std::uint32_t>(32 - std::countr_zero(slots.size()));
    rule_placer<Address> placer(from, rules);
    std::vector<std::uint32_t> kept;
    for_each_run(keys, [&](std::uint32_t handle, std::span<const keyed_rule> run) {
        kept.clear();
        bool asks = false;
        for (const keyed_rule one : run) {
            const std::uint32_t number = rule_of(one);
            if (left[owners[number]])
                asks = true;
            else if (kept.empty() || kept.back() != number)
                kept.push_back(number);
        }
        std::size_t at = handle >> slot_shift;
        while (slots[at].where != 0)
            at = (at + 1) & (slots.size() - 1);
        const std::uint32_t first = kept.empty() ? 0 : placer.place(kept);
        slots[at] = {handle, (first << (handle_slot::count_bits + 1)) |
                                 (asks ? handle_slot::most + 1 : 0) |
                                 static_cast<std::uint32_t>(kept.size())};
    });
    rules.shrink_to_fit();
}

template <class Address>
void probe_table<Address>::clear() noexcept {
    // Assigned nothing, a vector would keep its memory.
    decltype(steps)().swap(steps);
    decltype(probes)().swap(probes);
    decltype(slots)().swap(slots);
    decltype(rules)().swap(rules);
    decltype(words_)().swap(words_);
    fields = 0;
    slot_shift = 31;
}

template <class Address>
std::size_t probe_table<Address>::memory() const noexcept {
    return steps.capacity() * sizeof(hash_step) + probes.capacity() * sizeof(probe) +
           slots.capacity() * sizeof(handle_slot) + rules.capacity() * sizeof(rules[0]) +
           words_.capacity() * sizeof(std::uint32_t);
}

template class probe_table<std::uint32_t>;
template class probe_table<address_bits>;

} // namespace flowtap::filter
