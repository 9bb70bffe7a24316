// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <flowtap/core/packet_key.hpp>

#include "group.hpp"
#include "hits.hpp"

/// Looking packets up in groups. Everything is forced inline into the functions that match, one for
/// each instruction set.
namespace flowtap::filter {

/// What a group found of up to `lanes` packets: the row of each field, and which words survive.
struct looked_up {
    std::array<std::uint64_t, lanes> survivors;
    std::array<std::array<std::uint32_t, lanes>, field_count> rows;
};

/// The packets of a block that one engine looks at.
struct lane_list {
    std::array<std::uint8_t, lanes> lane;
    std::size_t count = 0;
};

FLOWTAP_INLINE std::size_t side_of(const packet_key& key) noexcept {
    return static_cast<std::size_t>(key.way);
}

/// How the fields are read from a key: the value, and whether the packet has one at all.
template <class Address>
struct read_source_address {
    FLOWTAP_INLINE static Address value(const packet_key& key) noexcept {
        return narrow<Address>(key.source);
    }
    FLOWTAP_INLINE static bool present(const packet_key&) noexcept { return true; }
};
template <class Address>
struct read_destination_address {
    FLOWTAP_INLINE static Address value(const packet_key& key) noexcept {
        return narrow<Address>(key.destination);
    }
    FLOWTAP_INLINE static bool present(const packet_key&) noexcept { return true; }
};
struct read_protocol {
    FLOWTAP_INLINE static std::uint8_t value(const packet_key& key) noexcept {
        return key.protocol;
    }
    FLOWTAP_INLINE static bool present(const packet_key&) noexcept { return true; }
};
struct read_source_port {
    FLOWTAP_INLINE static std::uint16_t value(const packet_key& key) noexcept {
        return key.source_port;
    }
    FLOWTAP_INLINE static bool present(const packet_key& key) noexcept { return key.has_ports; }
};
struct read_destination_port {
    FLOWTAP_INLINE static std::uint16_t value(const packet_key& key) noexcept {
        return key.destination_port;
    }
    FLOWTAP_INLINE static bool present(const packet_key& key) noexcept { return key.has_ports; }
};
struct read_icmp_type {
    FLOWTAP_INLINE static std::uint8_t value(const packet_key& key) noexcept {
        return key.icmp_type;
    }
    FLOWTAP_INLINE static bool present(const packet_key& key) noexcept { return key.has_icmp; }
};
struct read_icmp_code {
    FLOWTAP_INLINE static std::uint8_t value(const packet_key& key) noexcept {
        return key.icmp_code;
    }
    FLOWTAP_INLINE static bool present(const packet_key& key) noexcept { return key.has_icmp; }
};
struct read_interface {
    FLOWTAP_INLINE static std::uint32_t value(const packet_key& key) noexcept {
        return key.interface.value();
    }
    FLOWTAP_INLINE static bool present(const packet_key&) noexcept { return true; }
};
/// Only what enters is looked at by routing instance.
struct read_vrf {
    FLOWTAP_INLINE static std::uint32_t value(const packet_key& key) noexcept {
        return key.vrf.value();
    }
    FLOWTAP_INLINE static bool present(const packet_key& key) noexcept {
        return key.way == direction::ingress;
    }
};

/// Looks one field up for `list` and leaves only the words that its rows have anything in.
template <class Read, class T>
FLOWTAP_INLINE void look_up_field(const field_index<T>& index, field which, const packet_key* keys,
                                  const lane_list& list, looked_up& found) noexcept {
    std::array<T, lanes> values;
    std::array<std::uint32_t, lanes> rows;
    for (std::size_t i = 0; i < list.count; ++i)
        values[i] = Read::value(keys[list.lane[i]]);
    index.find(values.data(), list.count, rows.data());
    const row* const table = index.rows().rows();
    for (std::size_t i = 0; i < list.count; ++i) {
        const std::size_t lane = list.lane[i];
        const std::uint32_t number = Read::present(keys[lane]) ? rows[i] : 0;
        found.rows[static_cast<std::size_t>(which)][lane] = number;
        found.survivors[lane] &= table[number].occupied;
    }
}

FLOWTAP_INLINE void drop_dead(lane_list& list, const looked_up& found) noexcept {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < list.count; ++i) {
        const std::uint8_t lane = list.lane[i];
        list.lane[kept] = lane;
        kept += found.survivors[lane] != 0 ? 1 : 0;
    }
    list.count = kept;
}

constexpr std::uint32_t flag(field which) noexcept {
    return 1U << static_cast<unsigned>(which);
}

template <class Address>
FLOWTAP_INLINE void look_up_addresses(const group<Address>& in, std::uint32_t active,
                                      const packet_key* keys, const lane_list& list,
                                      looked_up& found) noexcept {
    if ((active & flag(field::source_address)) != 0)
        look_up_field<read_source_address<Address>>(in.source_address, field::source_address, keys,
                                                    list, found);
    if ((active & flag(field::destination_address)) != 0)
        look_up_field<read_destination_address<Address>>(
            in.destination_address, field::destination_address, keys, list, found);
}

template <class Address>
FLOWTAP_INLINE void look_up_headers(const group<Address>& in, std::uint32_t active,
                                    const packet_key* keys, const lane_list& list,
                                    looked_up& found) noexcept {
    if ((active & flag(field::protocol)) != 0)
        look_up_field<read_protocol>(in.protocol, field::protocol, keys, list, found);
    if ((active & flag(field::source_port)) != 0)
        look_up_field<read_source_port>(in.source_port, field::source_port, keys, list, found);
    if ((active & flag(field::destination_port)) != 0)
        look_up_field<read_destination_port>(in.destination_port, field::destination_port, keys,
                                             list, found);
    if ((active & flag(field::icmp_type)) != 0)
        look_up_field<read_icmp_type>(in.icmp_type, field::icmp_type, keys, list, found);
    if ((active & flag(field::icmp_code)) != 0)
        look_up_field<read_icmp_code>(in.icmp_code, field::icmp_code, keys, list, found);
}

/// The scope; the two directions have indexes of their own.
template <class Address>
FLOWTAP_INLINE void look_up_scope(const group<Address>& in, const packet_key* keys,
                                  const lane_list& list, looked_up& found) noexcept {
    for (std::size_t i = 0; i < list.count; ++i) {
        lane_list one;
        one.lane[0] = list.lane[i];
        one.count = 1;
        const std::size_t side = side_of(keys[one.lane[0]]);
        if ((in.active_set[side] & flag(field::interface)) != 0)
            look_up_field<read_interface>(in.interface[side], field::interface, keys, one, found);
        if ((in.active_set[side] & flag(field::vrf)) != 0)
            look_up_field<read_vrf>(in.vrf, field::vrf, keys, one, found);
    }
}

/// Looks the packets of `list` up in one group.
template <class Address>
FLOWTAP_INLINE void look_up(const group<Address>& in, const packet_key* keys, lane_list list,
                            looked_up& found) noexcept {
    for (std::size_t i = 0; i < list.count; ++i) {
        const std::size_t lane = list.lane[i];
        found.survivors[lane] = in.occupied[side_of(keys[lane])];
    }
    // A packet that the direction excludes has no survivors; what else it is asked is harmless.
    const std::uint32_t active = in.active_set[0] | in.active_set[1];
    look_up_addresses(in, active, keys, list, found);
    drop_dead(list, found);
    look_up_headers(in, active, keys, list, found);
    if ((active & (flag(field::interface) | flag(field::vrf))) != 0)
        look_up_scope(in, keys, list, found);
}

FLOWTAP_INLINE std::uint64_t word_of(const active_field& one, std::uint32_t number,
                                     unsigned word) noexcept {
    const row& of = one.rows[number];
    const std::uint64_t bit = std::uint64_t{1} << word;
    if ((of.stored & bit) == 0)
        return one.base[word];
    const auto before = static_cast<unsigned>(__builtin_popcountll(of.stored & (bit - 1)));
    return one.words[of.offset + before];
}

template <class Address>
FLOWTAP_INLINE bool some_pair_holds(const group<Address>& in, const bit_owner& owner,
                                    const packet_key& key) noexcept {
    const port_pair* pair = in.pairs.data() + owner.first_pair;
    for (std::uint32_t left = owner.pair_count; left != 0; --left, ++pair) {
        if ((pair->source.first <= key.source_port) & (key.source_port <= pair->source.last) &
            (pair->destination.first <= key.destination_port) &
            (key.destination_port <= pair->destination.last))
            return true;
    }
    return false;
}

/// Adds the group's criteria that match the packet of `lane` to what was found for it.
template <class Address>
FLOWTAP_INLINE void collect(const group<Address>& in, const packet_key& key, std::size_t lane,
                            const looked_up& found, std::uint32_t packet, hit_list& out) noexcept {
    const std::size_t side = side_of(key);
    const active_field* const fields = in.active[side].data();
    const std::size_t count = in.active_count[side];
    for (std::uint64_t rest = found.survivors[lane]; rest != 0; rest &= rest - 1) {
        const auto word = static_cast<unsigned>(__builtin_ctzll(rest));
        std::uint64_t bits = in.owned[word];
        for (std::size_t i = 0; i < count && bits != 0; ++i) {
            const auto which = static_cast<std::size_t>(fields[i].which);
            bits &= word_of(fields[i], found.rows[which][lane], word);
        }
        for (; bits != 0; bits &= bits - 1) {
            const auto bit = static_cast<unsigned>(__builtin_ctzll(bits));
            const bit_owner& owner = in.owners[in.first_owner[word] + bit];
            if (owner.pair_count == 0 || some_pair_holds(in, owner, key))
                out.add(packet, owner.entry);
        }
    }
}

} // namespace flowtap::filter
