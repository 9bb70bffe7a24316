// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The part of the classifier that runs for every packet, as templates over the
/// instructions to use. The file that includes this header defines
/// FLOWTAP_TARGET before, as the attribute that its functions need, and
/// instantiates `match_chunk` and `sift_headers` with a `Simd`:
/// - `width`, the packets that are computed side by side; `words`, a vector of
/// as many numbers;
/// - `load_inet`, `load_inet6`, `load_others`: the hash fields of so many
/// packets;
/// - `load_columns`, `swapped`: of what is kept of the headers of so many packets;
/// - `words_of`, `word_bits`, `flags`, `within`: see the portable ones.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <flowtap/core/packet_key.hpp>

#include "engine.hpp"
#include "group_match.hpp"

#define FLOWTAP_KERNEL FLOWTAP_TARGET [[gnu::always_inline]] inline

namespace flowtap::filter {

namespace {

/// The packets of one family in a chunk.
struct packet_block {
    /// As many as there are, and so many more that full vectors can be read.
    const packet_key* keys;
    std::size_t count;
    /// Their numbers in the chunk, or null if they are the chunk.
    const std::uint8_t* numbers;

    FLOWTAP_KERNEL std::uint32_t number(std::size_t index) const noexcept {
        return numbers == nullptr ? static_cast<std::uint32_t>(index) : numbers[index];
    }
};

/// What the probes of a table say of a block.
template <class Simd>
struct probed {
    static constexpr std::size_t room =
        (chunk_packets + Simd::width - 1) / Simd::width * Simd::width;

    /// For each packet a bit for each probe that it passed.
    alignas(64) std::array<std::uint32_t, room> passed;
    /// The packets that passed any.
    std::uint64_t some = 0;
    /// For each probe the handles of all packets.
    alignas(64) std::array<std::array<std::uint32_t, room>, max_probes> handles;
};

/// A packet that passed a probe, with its handle; or one whose handle was
/// found, and where.
struct candidate {
    std::uint32_t packet;
    std::uint32_t value;
};

template <class Simd, class Address>
FLOWTAP_KERNEL void load_fields(const packet_key* keys, std::uint32_t wanted,
                                typename Simd::words* fields) noexcept {
    if constexpr (sizeof(Address) == sizeof(std::uint32_t))
        Simd::load_inet(keys, fields);
    else
        Simd::load_inet6(keys, fields);
    if ((wanted >> field_source_port) != 0)
        Simd::load_others(keys, fields);
}

/// Has the keys fetched that stand where `keys` do in the next chunk; there need not be one.
FLOWTAP_KERNEL void prefetch_next(const packet_key* keys, std::size_t count) noexcept {
    const void* const here = keys;
    const char* const octets = static_cast<const char*>(here);
    for (std::size_t i = 0; i < count; ++i)
        __builtin_prefetch(octets + (chunk_packets + i) * sizeof(packet_key));
}

/// Computes the parts of some packets.
template <class Simd, class Address>
FLOWTAP_KERNEL void make_parts(const probe_table<Address>& table,
                               const typename Simd::words* fields,
                               typename Simd::words* parts) noexcept {
    parts[part_nothing] = typename Simd::words{};
    const hash_step* const steps = table.steps.data();
    const std::size_t count = table.steps.size();
    for (std::size_t i = 0; i < count; ++i) {
        const hash_step step = steps[i];
        parts[step.part] = (fields[step.field] >> step.shift) * step.factor + parts[step.base];
    }
}

/// Computes the handles that some packets have for one probe.
template <class Simd>
FLOWTAP_KERNEL typename Simd::words make_handle(const probe& one,
                                                const typename Simd::words* parts) noexcept {
    typename Simd::words handle =
        parts[one.shape.source] + parts[one.shape.destination] + parts[one.shape.other] + one.salt;
    handle ^= handle >> 15;
    return handle * 0x2C1B'3C6DU;
}

/// Puts the packets of `block` to all probes.
template <class Simd, class Address>
FLOWTAP_KERNEL void probe_all(const probe_table<Address>& table, const packet_block& block,
                              probed<Simd>& found) noexcept {
    using words = typename Simd::words;
    const probe* const probes = table.probes.data();
    const std::size_t probe_count = table.probes.size();
    std::array<words, hash_field_count> fields;
    std::array<words, hash_part_count> parts;
    for (std::size_t first = 0; first < block.count; first += Simd::width) {
        if (block.numbers == nullptr)
            prefetch_next(block.keys + first, Simd::width);
        load_fields<Simd, Address>(block.keys + first, table.fields, fields.data());
        make_parts<Simd>(table, fields.data(), parts.data());
        words passed{};
        for (std::size_t i = 0; i < probe_count; ++i) {
            const words handle = make_handle<Simd>(probes[i], parts.data());
            Simd::store(&found.handles[i][first], handle);
            passed = Simd::note(passed, Simd::words_of(probes[i], handle), Simd::word_bits(handle),
                                1U << i);
        }
        Simd::store(&found.passed[first], passed);
        found.some |= std::uint64_t{Simd::flags(passed)} << first;
    }
    if (block.count < 64)
        found.some &= (std::uint64_t{1} << block.count) - 1;
}

/// A bit for each packet that passes a probe.
template <class Simd>
FLOWTAP_KERNEL std::uint64_t sift_headers(const probe_table<std::uint32_t>& table,
                                          const sifted_packets& packets) noexcept {
    using words = typename Simd::words;
    const probe* const probes = table.probes.data();
    const std::size_t probe_count = table.probes.size();
    const bool wants_others = (table.fields >> field_source_port) != 0;
    std::array<words, hash_field_count> fields;
    std::array<words, hash_part_count> parts;
    fields[field_interface] = words{} + packets.interface.value();
    fields[field_vrf] = words{} + packets.vrf.value();
    std::uint64_t some = 0;
    for (std::size_t first = 0; first < packets.count; first += Simd::width) {
        // The time to live, the protocol and the checksum; the addresses; the ports.
        std::array<words, 4> columns{};
        Simd::load_columns(packets.headers.octets.data() + first * plain_headers::size,
                           columns.data());
        fields[field_source_words] = Simd::swapped(columns[1]);
        fields[field_destination_words] = Simd::swapped(columns[2]);
        if (wants_others) {
            const words ports = Simd::swapped(columns[3]);
            fields[field_source_port] = ports >> 16;
            fields[field_destination_port] = ports & 0xFFFF;
            fields[field_protocol] = Simd::swapped(columns[0]) >> 16 & 0xFF;
        }
        make_parts<Simd>(table, fields.data(), parts.data());
        words passed{};
        for (std::size_t i = 0; i < probe_count; ++i) {
            const words handle = make_handle<Simd>(probes[i], parts.data());
            passed = Simd::note(passed, Simd::words_of(probes[i], handle), Simd::word_bits(handle),
                                1U << i);
        }
        some |= std::uint64_t{Simd::flags(passed)} << first;
    }
    return some & packets.all();
}

/// Finds the handles that packets passed with. Returns how many are in the
/// table; `asking` gets those packets that the groups have more for.
template <class Simd, class Address>
FLOWTAP_KERNEL std::size_t look_up_handles(const probe_table<Address>& table,
                                           const probed<Simd>& found, candidate* out,
                                           std::uint64_t& asking) noexcept {
    const handle_slot* const slots = table.slots.data();
    const std::size_t last_slot = table.slots.size() - 1;
    std::size_t count = 0;
    for (std::uint64_t rest = found.some; rest != 0; rest &= rest - 1) {
        const auto packet = static_cast<std::uint32_t>(__builtin_ctzll(rest));
        for (std::uint32_t bits = found.passed[packet]; bits != 0; bits &= bits - 1) {
            const auto which = static_cast<std::uint32_t>(__builtin_ctz(bits));
            const std::uint32_t handle = own_handle(found.handles[which][packet], which);
            __builtin_prefetch(slots + (handle >> table.slot_shift));
            out[count++] = {packet, handle};
        }
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const candidate one = out[i];
        std::size_t at = one.value >> table.slot_shift;
        while (slots[at].where != 0 && slots[at].handle != one.value)
            at = (at + 1) & last_slot;
        const handle_slot slot = slots[at];
        out[kept] = {one.packet, slot.where};
        asking |= std::uint64_t{slot.asks_groups()} << one.packet;
        __builtin_prefetch(table.rules.data() + slot.first());
        kept += slot.count() != 0 ? 1 : 0;
    }
    return kept;
}

/// The rules whose bounds packets are within. What branches, the rest of their checks, is done for
/// many of them at once.
template <class Address>
struct matched_rules {
    static constexpr std::size_t room = 256;

    struct match {
        const rule<Address>* of;
        std::uint32_t packet;
    };
    std::array<match, room> list;
    std::size_t count = 0;

    /// Adds those that hold to `out`, and begins anew.
    FLOWTAP_KERNEL void finish(const engine<Address>& in, const packet_block& block,
                               hit_list& out) noexcept {
        for (std::size_t i = 0; i < count; ++i) {
            const match& one = list[i];
            if (in.residuals.holds(one.of->residual(), block.keys[one.packet]))
                out.add(block.number(one.packet), one.of->entry());
        }
        count = 0;
    }
};

/// Holds one packet against rules that stand side by side, fewer than there is room for.
template <class Simd, class Address>
FLOWTAP_KERNEL void hold_against(const rule<Address>* rules, std::uint32_t count,
                                 const packet_key& key, std::uint32_t packet,
                                 matched_rules<Address>& found) noexcept {
    const typename Simd::lanes values = Simd::lanes_of(key);
    std::size_t at = found.count;
    for (const rule<Address>* const end = rules + count; rules != end; ++rules) {
        const bool in_box = Simd::within(rules->box, values);
        const bool in_prefixes = Simd::addresses_hold(*rules, key);
        found.list[at] = {rules, packet};
        at += std::size_t{in_box} & std::size_t{in_prefixes};
    }
    found.count = at;
}

/// Looks packets up in all groups; `asking` has a bit for each.
template <class Address>
FLOWTAP_KERNEL void ask_groups(const engine<Address>& in, const packet_block& block,
                               std::uint64_t asking, hit_list& out) noexcept {
    std::array<packet_key, lanes> keys;
    std::array<std::uint32_t, lanes> numbers;
    looked_up found;
    while (asking != 0 && !out.full()) {
        lane_list list;
        for (; asking != 0 && list.count < lanes; asking &= asking - 1) {
            const auto packet = static_cast<std::size_t>(__builtin_ctzll(asking));
            keys[list.count] = block.keys[packet];
            numbers[list.count] = block.number(packet);
            list.lane[list.count] = static_cast<std::uint8_t>(list.count);
            ++list.count;
        }
        for (const auto& group : in.groups) {
            look_up(*group, keys.data(), list, found);
            for (std::size_t lane = 0; lane < list.count; ++lane)
                collect(*group, keys[lane], lane, found, numbers[lane], out);
        }
    }
}

/// Matches the packets of one family.
template <class Simd, class Address>
FLOWTAP_KERNEL void match_block(const engine<Address>& in, const packet_block& block,
                                hit_list& out) noexcept {
    std::uint64_t asking = 0;
    matched_rules<Address> matched;
    if (!in.table.probes.empty()) {
        probed<Simd> found;
        probe_all<Simd>(in.table, block, found);
        if (found.some != 0) {
            std::array<candidate, chunk_packets * max_probes> candidates;
            const std::size_t count =
                look_up_handles<Simd>(in.table, found, candidates.data(), asking);
            for (std::size_t i = 0; i < count; ++i) {
                const std::uint32_t packet = candidates[i].packet;
                const handle_slot slot{0, candidates[i].value};
                if (matched.count + handle_slot::most >= matched.room)
                    matched.finish(in, block, out);
                hold_against<Simd>(in.table.rules.data() + slot.first(), slot.count(),
                                   block.keys[packet], packet, matched);
            }
        }
    }
    if (!in.scanned.empty()) {
        const auto count = static_cast<std::uint32_t>(in.scanned.size());
        for (std::uint32_t packet = 0; packet < block.count; ++packet) {
            if (matched.count + count >= matched.room)
                matched.finish(in, block, out);
            hold_against<Simd>(in.scanned.data(), count, block.keys[packet], packet, matched);
        }
    }
    matched.finish(in, block, out);
    if (in.all_ask_groups)
        asking = block.count < 64 ? (std::uint64_t{1} << block.count) - 1 : ~std::uint64_t{0};
    if (asking != 0)
        ask_groups(in, block, asking, out);
}

/// The packets of a chunk, sorted by family into memory that can be read in
/// full vectors.
struct sorted_packets {
    /// Room that nobody has filled with empty keys before.
    union key_room {
        key_room() noexcept {}
        std::array<packet_key, chunk_packets> list;
    };

    std::array<key_room, 3> keys;
    std::array<std::array<std::uint8_t, chunk_packets>, 3> numbers;
    std::array<std::size_t, 3> counts{};
};

template <class Simd>
FLOWTAP_KERNEL void match_sorted(const compiled_set& set, std::span<const packet_key> keys,
                                 hit_list& out) noexcept {
    sorted_packets sorted;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const auto which = static_cast<std::size_t>(keys[i].of_family);
        const std::size_t at = sorted.counts[which]++;
        sorted.keys[which].list[at] = keys[i];
        sorted.numbers[which][at] = static_cast<std::uint8_t>(i);
    }
    for (std::size_t which = 0; which < sorted.counts.size(); ++which) {
        for (std::size_t i = sorted.counts[which]; i % Simd::width != 0; ++i)
            sorted.keys[which].list[i] = packet_key{};
    }
    const auto block = [&](family of) {
        const auto which = static_cast<std::size_t>(of);
        return packet_block{sorted.keys[which].list.data(), sorted.counts[which],
                            sorted.numbers[which].data()};
    };
    if (const packet_block some = block(family::inet); some.count != 0)
        match_block<Simd>(set.inet, some, out);
    if (const packet_block some = block(family::inet6); some.count != 0)
        match_block<Simd>(set.inet6, some, out);
    if (const packet_block some = block(family::ccc); some.count != 0)
        match_block<Simd>(set.ccc, some, out);
}

/// Matches a chunk: as it stands if all packets are of one family, as they
/// mostly are.
template <class Simd>
FLOWTAP_KERNEL void match_chunk(const compiled_set& set, std::span<const packet_key> keys,
                                hit_list& out) noexcept {
    if (keys.empty())
        return;
    auto some = static_cast<std::uint8_t>(keys.front().of_family);
    std::uint8_t every = some;
#pragma GCC unroll 8
    for (const packet_key& key : keys) {
        some |= static_cast<std::uint8_t>(key.of_family);
        every &= static_cast<std::uint8_t>(key.of_family);
    }
    const packet_block all{keys.data(), keys.size(), nullptr};
    const bool uniform = some == every && keys.size() % Simd::width == 0;
    if (uniform && keys.front().of_family == family::inet)
        match_block<Simd>(set.inet, all, out);
    else if (uniform && keys.front().of_family == family::inet6)
        match_block<Simd>(set.inet6, all, out);
    else
        match_sorted<Simd>(set, keys, out);
}

} // namespace

} // namespace flowtap::filter
