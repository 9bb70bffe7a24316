// SPDX-License-Identifier: Apache-2.0
#include "overlay.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <variant>

#include "values.hpp"

namespace flowtap::filter {

namespace {

constexpr std::size_t address_octets = 4;
constexpr std::size_t protocol_piece = 8;
constexpr std::size_t source_port_piece = 9;
constexpr std::size_t destination_port_piece = 11;
constexpr std::size_t icmp_type_piece = 13;
constexpr std::size_t icmp_code_piece = 14;

/// Where the pieces of an address end, in bits from the left.
constexpr std::array<unsigned, address_octets> inet_ends{8, 16, 24, 32};
constexpr std::array<unsigned, address_octets> inet6_ends{32, 48, 64, 128};

FLOWTAP_INLINE std::uint32_t hash_octet(std::uint64_t value) noexcept {
    return static_cast<std::uint32_t>((value * 0x9E37'79B9'7F4A'7C15ULL) >> 56);
}

FLOWTAP_INLINE std::uint32_t digest_inet6(const address_bits& address) noexcept {
    return hash_octet(address.high >> 32) << 24 | hash_octet(address.high >> 16 & 0xFFFF) << 16 |
           hash_octet(address.high & 0xFFFF) << 8 | hash_octet(address.low);
}

FLOWTAP_INLINE std::uint32_t digest_address(family of, const address_bits& address) noexcept {
    return of == family::inet6 ? digest_inet6(address) : static_cast<std::uint32_t>(address.low);
}

/// Piece `number` of the eight of both addresses, the source's first.
FLOWTAP_INLINE std::size_t piece_of(address_digest digest, std::size_t number) noexcept {
    return digest >> (56 - 8 * number) & 0xFF;
}

FLOWTAP_INLINE std::size_t look_of(family of, direction way) noexcept {
    return static_cast<std::size_t>(of) * 2 + static_cast<std::size_t>(way);
}

/// As `within`, with the vectors that every processor has. The unused lane is of no account: it is
/// zero in packets, and from zero on in an overlay's rules, which are of no entry.
FLOWTAP_INLINE bool within_vectors(const lane_box& box, const lane_values& values) noexcept {
    using four_lanes [[gnu::vector_size(16)]] = std::uint32_t;
    std::array<std::uint64_t, 2> outside{};
    for (std::size_t i = 0; i < lane_count; i += 4) {
        four_lanes low;
        four_lanes high;
        four_lanes value;
        std::memcpy(&low, box.low.data() + i, sizeof(low));
        std::memcpy(&high, box.high.data() + i, sizeof(high));
        std::memcpy(&value, values.data() + i, sizeof(value));
        const auto beyond = (value < low) | (high < value);
        std::array<std::uint64_t, 2> halves{};
        std::memcpy(halves.data(), &beyond, sizeof(halves));
        outside[0] |= halves[0];
        outside[1] |= halves[1];
    }
    return (outside[0] | outside[1]) == 0;
}

/// How many leading bits all addresses of a range share.
unsigned common_bits(family of, const address_bits& first, const address_bits& last) noexcept {
    if (of == family::inet)
        return static_cast<unsigned>(
            std::countl_zero(static_cast<std::uint32_t>(first.low ^ last.low)));
    if (first.high != last.high)
        return static_cast<unsigned>(std::countl_zero(first.high ^ last.high));
    return 64U + static_cast<unsigned>(std::countl_zero(first.low ^ last.low));
}

template <class T>
bool is_one_range(const range_list<T>& list) noexcept {
    return list.entries.size() <= 1 && !list.has_negation();
}

bool is_one_host(const range_list<address_bits>& list) noexcept {
    return list.entries.size() == 1 && list.entries.front().first == list.entries.front().last;
}

/// Whether to try and make a rule: it can be expected to say it all, and is worth the time, which
/// for one that names a host it is not, as few packets get so far there.
bool is_worth_a_rule(const filter_spec& spec) noexcept {
    return !is_one_host(spec.source_addresses) && !is_one_host(spec.destination_addresses) &&
           is_one_range(spec.source_addresses) && is_one_range(spec.destination_addresses);
}

/// Rules that differ in no more than what their common residual checks, as one; none if they differ
/// in more.
template <class Address>
std::optional<rule<Address>> joined(std::span<const rule<Address>> rules) noexcept {
    if (rules.empty())
        return std::nullopt;
    rule<Address> all = rules.front();
    for (const rule<Address>& one : rules) {
        if (one.residual() != all.residual() || one.source() != all.source() ||
            one.destination() != all.destination())
            return std::nullopt;
        for (std::size_t i = 0; i < lane_count; ++i) {
            all.box.low[i] = std::min(all.box.low[i], one.box.low[i]);
            all.box.high[i] = std::max(all.box.high[i], one.box.high[i]);
        }
    }
    return all;
}

template <class T>
bool names_something(const range_list<T>& list) noexcept {
    return std::any_of(list.entries.begin(), list.entries.end(),
                       [](const auto& entry) { return !entry.negated; });
}

} // namespace

chunk_digest::chunk_digest(std::span<const packet_key> keys) noexcept {
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const packet_key& key = keys[i];
        addresses[i] = static_cast<std::uint64_t>(digest_address(key.of_family, key.source)) << 32 |
                       digest_address(key.of_family, key.destination);
    }
}

/// Enters one criterion in the tables. Only the thread that adds writes, so that a load and a store
/// do; nobody looks at the new bit yet.
struct overlay::piece_adder {
    overlay& to;
    std::uint64_t bit;

    void set(word& where) const noexcept {
        where.store(where.load(std::memory_order_relaxed) | bit, std::memory_order_relaxed);
    }
    void leave_open(std::size_t piece) const noexcept { set(to.open_[piece]); }
    void admit(std::size_t piece, std::size_t value) const noexcept {
        set(to.admits_[piece][value]);
    }
    void admit(std::size_t piece, std::size_t first, std::size_t last) const noexcept {
        // Many values say little, and take long.
        if (last - first >= 32) {
            leave_open(piece);
            return;
        }
        for (std::size_t value = first; value <= last; ++value)
            admit(piece, value);
    }

    void add_addresses(std::size_t first_piece, family of,
                       const range_list<address_bits>& list) const noexcept {
        if (!names_something(list)) {
            for (std::size_t i = 0; i < address_octets; ++i)
                leave_open(first_piece + i);
            return;
        }
        const auto& ends = of == family::inet ? inet_ends : inet6_ends;
        for (const auto& entry : list.entries) {
            if (entry.negated)
                continue;
            const address_bits last = std::min(entry.last, highest_address(of));
            const unsigned shared = common_bits(of, entry.first, last);
            const address_digest digest = digest_address(of, entry.first);
            for (std::size_t i = 0; i < address_octets; ++i) {
                if (ends[i] <= shared)
                    admit(first_piece + i, piece_of(digest, address_octets + i));
                else
                    leave_open(first_piece + i);
            }
        }
    }

    /// A field of one octet, exactly.
    void add_octets(std::size_t piece, const range_list<std::uint8_t>& list) const noexcept {
        if (list.is_wildcard()) {
            leave_open(piece);
            return;
        }
        for (std::size_t value = 0; value < 256; ++value) {
            if (list.admits(static_cast<std::uint8_t>(value)))
                admit(piece, value);
        }
    }

    void add_ports(std::size_t piece, const range_list<std::uint16_t>& list) const noexcept {
        if (!names_something(list)) {
            leave_open(piece);
            leave_open(piece + 1);
        }
        for (const auto& entry : list.entries) {
            if (entry.negated)
                continue;
            admit(piece, entry.first >> 8, entry.last >> 8);
            if (entry.first >> 8 == entry.last >> 8)
                admit(piece + 1, entry.first & 0xFF, entry.last & 0xFF);
            else
                leave_open(piece + 1);
        }
    }

    void add_looks(const filter_spec& spec) const noexcept {
        // A frame has no protocol.
        const bool no_frame = !spec.protocols.is_wildcard();
        const direction way = std::holds_alternative<output_scope>(spec.scope) ? direction::egress
                                                                               : direction::ingress;
        for (const family of : {family::inet, family::inet6, family::ccc}) {
            if (spec.families.contains(of) && !(of == family::ccc && no_frame))
                set(to.looks_[look_of(of, way)]);
        }
    }
};

/// Makes the rule of the next criterion, whose addresses are of family `of`, if one rule and its
/// residual say it all.
void overlay::add_rule(const filter_spec& spec, family of) {
    if (!is_worth_a_rule(spec))
        return;
    auto residuals = std::make_unique<residual_store>();
    const auto make = [&](auto address) {
        using rules_of = rule<decltype(address)>;
        std::vector<rules_of> made;
        append_rules(spec, 0, made, *residuals);
        return joined(std::span<const rules_of>(made));
    };
    if (of == family::inet6) {
        const auto made = make(address_bits{});
        if (!made)
            return;
        rules_[size_] = *made;
    } else {
        const auto made = make(std::uint32_t{});
        if (!made)
            return;
        rules_[size_].box = made->box;
    }
    if (rules_[size_].residual() != residual_store::nothing) {
        residuals->shrink();
        kept_memory_ += sizeof(residual_store) + residuals->memory();
        residuals_[size_] = std::move(residuals);
    }
    piece_adder{*this, std::uint64_t{1} << size_}.set(exact_);
}

bool overlay::holds(std::size_t which, const packet_key& key,
                    const lane_values& values) const noexcept {
    if ((exact_.load(std::memory_order_relaxed) >> which & 1) == 0)
        return matches(kept_[which]->spec(), key);
    const rule<address_bits>& of = rules_[which];
    return within_vectors(of.box, values) && of.addresses_hold(key) &&
           (of.residual() == residual_store::nothing ||
            residuals_[which]->holds(of.residual(), key));
}

void overlay::append(criterion_pointer what) {
    const filter_spec& spec = what->spec();
    const piece_adder adder{*this, std::uint64_t{1} << size_};
    // One that looks at several families leaves the addresses open.
    const family of = spec.families == family_set(family::inet6) ? family::inet6 : family::inet;
    add_rule(spec, of);
    adder.add_addresses(0, of, spec.source_addresses);
    adder.add_addresses(address_octets, of, spec.destination_addresses);
    adder.add_octets(protocol_piece, spec.protocols);
    adder.add_octets(icmp_type_piece, spec.icmp_types);
    adder.add_octets(icmp_code_piece, spec.icmp_codes);
    adder.add_ports(source_port_piece, spec.source_ports);
    adder.add_ports(destination_port_piece, spec.destination_ports);
    adder.add_looks(spec);
    entries_[size_].slot = what->slot();
    kept_memory_ += kept_memory(*what);
    kept_[size_] = std::move(what);
    ++size_;
}

entry* overlay::find_living(slot_id slot) noexcept {
    const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(size_);
    const auto found = std::find_if(entries_.begin(), end, [&](const entry& one) {
        return one.slot == slot && one.is_alive();
    });
    return found == end ? nullptr : &*found;
}

/// Those criteria that admit `value` of `piece`.
std::uint64_t overlay::admitted(std::size_t piece, std::size_t value) const noexcept {
    return admits_[piece][value].load(std::memory_order_relaxed) |
           open_[piece].load(std::memory_order_relaxed);
}

/// Those of `some` that may match, once all pieces of addresses have been asked.
std::uint64_t overlay::narrow_down(std::uint64_t some, const packet_key& key) const noexcept {
    some &= looks_[look_of(key.of_family, key.way)].load(std::memory_order_relaxed);
    const std::uint64_t present = key.has_icmp ? ~0ULL : 0;
    some &= (admitted(icmp_type_piece, key.icmp_type) & present) |
            open_[icmp_type_piece].load(std::memory_order_relaxed);
    some &= (admitted(icmp_code_piece, key.icmp_code) & present) |
            open_[icmp_code_piece].load(std::memory_order_relaxed);
    return some & admitted(protocol_piece, key.protocol) &
           admitted(source_port_piece, key.source_port >> 8) &
           admitted(source_port_piece + 1, key.source_port & 0xFF) &
           admitted(destination_port_piece, key.destination_port >> 8) &
           admitted(destination_port_piece + 1, key.destination_port & 0xFF);
}

/// The piece of an address, of the four from `first` on, that the fewest of `seen` leave open.
std::size_t overlay::telling_piece(std::size_t first, std::uint64_t seen) const noexcept {
    const auto open_to = [&](std::size_t piece) {
        return std::popcount(open_[piece].load(std::memory_order_relaxed) & seen);
    };
    std::size_t best = first + address_octets - 1;
    for (std::size_t piece = best; piece-- > first;) {
        if (open_to(piece) < open_to(best))
            best = piece;
    }
    return best;
}

void overlay::find(std::span<const packet_key> keys, const chunk_digest& digest, std::size_t count,
                   hit_list& found) const noexcept {
    // Bits of criteria that are added meanwhile are cut off.
    const std::uint64_t seen = ~0ULL >> (capacity - count);
    // Most packets are done after a piece of each address.
    const std::size_t one = telling_piece(0, seen);
    const std::size_t other = telling_piece(address_octets, seen);
    const std::uint64_t open_to_one = open_[one].load(std::memory_order_relaxed) & seen;
    const std::uint64_t open_to_other = open_[other].load(std::memory_order_relaxed) & seen;
    found.enter(entries_.data());
    // Packets that are not done, and the criteria left for them. Without a branch each time: some
    // of the packets are done here and there, as no predictor foresees.
    std::array<std::uint32_t, chunk_packets> packets;
    std::array<std::uint64_t, chunk_packets> left;
    std::size_t asked = 0;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const address_digest addresses = digest.addresses[i];
        const word& by_one = admits_[one][piece_of(addresses, one)];
        const word& by_other = admits_[other][piece_of(addresses, other)];
        packets[asked] = static_cast<std::uint32_t>(i);
        left[asked] = ((by_one.load(std::memory_order_relaxed) & seen) | open_to_one) &
                      (by_other.load(std::memory_order_relaxed) | open_to_other);
        asked += left[asked] != 0 ? 1 : 0;
    }
    std::size_t near = 0;
    for (std::size_t i = 0; i < asked; ++i) {
        std::uint64_t some = left[i];
        for (std::size_t piece = 0; piece < address_pieces; ++piece)
            some &= admitted(piece, piece_of(digest.addresses[packets[i]], piece));
        packets[near] = packets[i];
        left[near] = some;
        near += some != 0 ? 1 : 0;
    }
    for (std::size_t i = 0; i < near; ++i) {
        const packet_key& key = keys[packets[i]];
        find_among(narrow_down(left[i], key), key, packets[i], found);
    }
}

/// Adds those of `some` that match packet number `packet` of the chunk.
void overlay::find_among(std::uint64_t some, const packet_key& key, std::uint32_t packet,
                         hit_list& found) const noexcept {
    if (some == 0)
        return;
    const lane_values values = lanes_of(key);
    for (; some != 0; some &= some - 1) {
        const auto which = static_cast<std::uint32_t>(std::countr_zero(some));
        if (holds(which, key, values))
            found.add(packet, which);
    }
}

} // namespace flowtap::filter
