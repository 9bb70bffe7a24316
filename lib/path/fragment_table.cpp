// SPDX-License-Identifier: Apache-2.0
#include "fragment_table.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <span>

namespace flowtap::path::detail {

namespace {

/// With IPv6 the protocol does not tell packets apart (RFC 8200, section 4.5): fragments may differ
/// in what their fragment header says follows.
std::uint8_t telling_protocol(const packet_key& key) noexcept {
    return key.of_family == family::inet ? key.protocol : std::uint8_t{0};
}

/// Whether `key` is that of a fragment of the packet.
bool belongs_to(const fragment_entry& packet, const packet_key& key,
                std::uint32_t identification) noexcept {
    return packet.identification == identification && packet.key.source == key.source &&
           packet.key.destination == key.destination && packet.key.of_family == key.of_family &&
           telling_protocol(packet.key) == telling_protocol(key) &&
           packet.key.interface == key.interface && packet.key.vrf == key.vrf &&
           packet.key.way == key.way;
}

} // namespace

fragment_table::fragment_table(const fragment_options& with)
    : options_(with), entries_(std::max<std::size_t>(with.decisions, 1) + with.early),
      heads_(std::bit_ceil(entries_.size() * 2), nowhere),
      last_head_(static_cast<std::uint32_t>(heads_.size() - 1)), decided_(entries_),
      waiting_(entries_), early_(with.early),
      octets_(std::make_unique_for_overwrite<std::byte[]>(with.early * with.longest_early)) {
    for (std::size_t i = entries_.size(); i-- > 0;) {
        entries_[i].next = free_;
        free_ = static_cast<std::uint32_t>(i);
    }
    for (std::size_t i = early_.size(); i-- > 0;) {
        early_[i].next = free_early_;
        free_early_ = static_cast<std::uint32_t>(i);
    }
}

std::uint64_t fragment_table::hash_of(const packet_key& key,
                                      std::uint32_t identification) const noexcept {
    const std::array<std::uint64_t, 6> words{
        key.source.high,
        key.source.low,
        key.destination.high,
        key.destination.low,
        std::uint64_t{key.interface.value()} << 32 | key.vrf.value(),
        std::uint64_t{identification} << 32 | std::uint64_t{telling_protocol(key)} << 16 |
            static_cast<std::uint64_t>(key.of_family) << 8 | static_cast<std::uint64_t>(key.way)};
    return keyed_hash(options_.hash, words);
}

/// Of IPv6 addresses the network: a host has as many of the others as it likes.
std::uint8_t fragment_table::source_of(const packet_key& key) const noexcept {
    const std::array<std::uint64_t, 1> words{key.of_family == family::inet ? key.source.low
                                                                           : key.source.high};
    return static_cast<std::uint8_t>(keyed_hash(options_.hash, words));
}

void fragment_table::begin(steady_time now) noexcept {
    now_ = now;
    free(taken_);
    taken_ = {};
    for (std::size_t i = 0; i < most_expiries; ++i) {
        const std::uint32_t oldest = waiting_.oldest();
        if (oldest == nowhere || !is_old(entries_[oldest]))
            break;
        give_up(oldest, fragment_loss::expired);
    }
    for (std::size_t i = 0; i < most_expiries; ++i) {
        const std::uint32_t oldest = decided_.oldest();
        if (oldest == nowhere || !is_old(entries_[oldest]))
            break;
        forget_decision(oldest);
    }
}

std::uint32_t fragment_table::find(const packet_key& key, std::uint32_t identification) noexcept {
    sought_ = static_cast<std::uint32_t>(hash_of(key, identification));
    std::uint32_t number = head_of(sought_);
    while (number != nowhere &&
           (entries_[number].hash != sought_ || !belongs_to(entries_[number], key, identification)))
        number = entries_[number].next;
    if (number == nowhere || !is_old(entries_[number]))
        return number;
    if (entries_[number].state == fragment_state::waiting)
        give_up(number, fragment_loss::expired);
    else
        forget_decision(number);
    return nowhere;
}

fragment_table::first_fragment fragment_table::take_first(const packet_key& key,
                                                          std::uint32_t identification,
                                                          fragment_state state) noexcept {
    std::uint32_t number = find(key, identification);
    fragment_chain early;
    std::uint64_t octets = 0;
    if (number != nowhere && entries_[number].state == fragment_state::waiting) {
        early = entries_[number].early;
        waiting_.remove(number, early.count);
        counts.waiting -= early.count;
        octets = octets_of(early);
        counts.followed += early.count;
        counts.followed_octets += octets;
        if (taken_.count != 0)
            early_[taken_.last].next = early.first;
        taken_ = {taken_.count == 0 ? early.first : taken_.first, early.last,
                  taken_.count + early.count};
    } else if (number != nowhere) {
        // Another packet with the identification of one before it, or the same fragment again:
        // what is decided about the newest holds.
        decided_.remove(number, 1);
    }
    if (decided_.size() == entries_.size() - early_.size()) {
        const std::uint32_t displaced = decided_.oldest_of_heaviest();
        counts.decisions_displaced += is_old(entries_[displaced]) ? 0 : 1;
        forget_decision(displaced);
    }
    if (number == nowhere)
        number = make(key, identification);
    fragment_entry& entry = entries_[number];
    entry.key = key;
    entry.since = now_;
    entry.state = state;
    entry.early = {};
    decided_.push(number, 1);
    return {number, early, octets};
}

void fragment_table::keep_early(std::uint32_t number, const packet_key& key,
                                std::uint32_t identification,
                                const packet_body& fragment) noexcept {
    const bool is_full = number != nowhere && entries_[number].early.count == most_early;
    if (is_full || fragment.octets.size() > options_.longest_early || !make_room_for_early(number))
        return lose(fragment_loss::no_room);
    if (number == nowhere) {
        number = make(key, identification);
        entries_[number].since = now_;
        entries_[number].state = fragment_state::waiting;
        waiting_.push(number, 1);
    } else {
        waiting_.add_weight(number, 1);
    }
    const std::uint32_t place = free_early_;
    early_fragment& kept = early_[place];
    free_early_ = kept.next;
    kept = {nowhere, static_cast<std::uint32_t>(fragment.octets.size()), fragment.total_length,
            fragment.wire_length, fragment.time};
    std::copy(fragment.octets.begin(), fragment.octets.end(),
              octets_.get() + place * options_.longest_early);
    fragment_chain& chain = entries_[number].early;
    (chain.count == 0 ? chain.first : early_[chain.last].next) = place;
    chain.last = place;
    ++chain.count;
    ++counts.waiting;
}

/// Leaves the early fragments of the packet `keep` alone.
bool fragment_table::make_room_for_early(std::uint32_t keep) noexcept {
    if (free_early_ != nowhere)
        return true;
    const std::uint32_t displaced = waiting_.oldest_of_heaviest();
    if (displaced == nowhere || displaced == keep)
        return false;
    give_up(displaced,
            is_old(entries_[displaced]) ? fragment_loss::expired : fragment_loss::displaced);
    return true;
}

packet_body fragment_table::early(std::uint32_t place) const noexcept {
    const early_fragment& kept = early_[place];
    const byte_view octets(octets_.get() + place * options_.longest_early, kept.size);
    return {octets, kept.time, kept.total_length, 0, kept.wire_length};
}

std::uint64_t fragment_table::octets_of(const fragment_chain& chain) const noexcept {
    std::uint64_t octets = 0;
    std::uint32_t place = chain.first;
    for (std::uint32_t i = 0; i < chain.count; ++i) {
        octets += early_[place].wire_length;
        place = early_[place].next;
    }
    return octets;
}

/// For what `find` has just looked for in vain.
std::uint32_t fragment_table::make(const packet_key& key, std::uint32_t identification) noexcept {
    // There is one: decisions and packets that wait are bounded one by one.
    const std::uint32_t number = free_;
    fragment_entry& made = entries_[number];
    free_ = made.next;
    made.key = key;
    made.identification = identification;
    made.hash = sought_;
    made.source = source_of(key);
    made.early = {};
    made.next = head_of(made.hash);
    head_of(made.hash) = number;
    return number;
}

/// Of an entry that no queue holds any more.
void fragment_table::forget(std::uint32_t number) noexcept {
    std::uint32_t* link = &head_of(entries_[number].hash);
    while (*link != number)
        link = &entries_[*link].next;
    *link = entries_[number].next;
    entries_[number].next = free_;
    free_ = number;
}

void fragment_table::forget_decision(std::uint32_t number) noexcept {
    decided_.remove(number, 1);
    forget(number);
}

void fragment_table::give_up(std::uint32_t number, fragment_loss why) noexcept {
    const fragment_chain lost = entries_[number].early;
    waiting_.remove(number, lost.count);
    counts.waiting -= lost.count;
    lose(why, lost.count);
    free(lost);
    forget(number);
}

void fragment_table::free(const fragment_chain& chain) noexcept {
    if (chain.count == 0)
        return;
    early_[chain.last].next = free_early_;
    free_early_ = chain.first;
}

void fragment_table::clear() noexcept {
    free(taken_);
    taken_ = {};
    while (waiting_.oldest() != nowhere)
        give_up(waiting_.oldest(), fragment_loss::displaced);
    while (decided_.oldest() != nowhere)
        forget_decision(decided_.oldest());
}

} // namespace flowtap::path::detail
