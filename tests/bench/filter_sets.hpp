// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/packet_key.hpp>

#include "filter_reference.hpp"

/// Seeded sets of filters and traces of packets, in the shapes that matching is measured with.
namespace flowtap::filter::sets {

enum class set_shape {
    /// 35 % one destination host, 25 % one source host, 15 % pairs of hosts, 13 % a host or small
    /// prefix with protocol and port, 5 % prefixes, the rest pairs of hosts with protocol and port;
    /// one in a hundred without an address, at most 20.
    intercept,
    /// Pairs of prefixes of mixed lengths with a protocol and ranges of ports, many around the same
    /// site, so that they overlap: one to six matches per packet that hits.
    firewall,
    /// Without addresses: protocol, ports and ranges of ports.
    ports,
    /// Without addresses, in the scope of interfaces or of a routing instance; some with a port.
    scopes,
    /// Without addresses: types and codes of ICMP.
    icmp,
};

/// How the entries of the filters are dressed up; the shape stays.
enum class set_dress {
    plain,
    /// Every filter has a list or a range of addresses, a negation, lists of ports or 15 port
    /// pairs.
    elaborate,
};

/// Where filters are, beside each other and beside the traffic.
enum class locality {
    /// The hosts of intercept-shaped sets anywhere in 16 networks of a million addresses each; the
    /// sites of firewall-shaped ones anywhere at all.
    anywhere,
    /// Hosts and sites in 16 networks of 16,384 addresses each (65,536 for more than 20,000
    /// filters), and prefixes that are longer, so that a packet still matches few.
    clustered,
};

/// Where packets that match nothing come from and go to.
enum class nearness {
    elsewhere, ///< networks that no filter of `locality::clustered` is about
    mixed,     ///< three in ten addresses are in the networks that filters are about
    same_16,   ///< addresses that share the first 16 bits with those of a filter (IPv6: 64)
    same_24,   ///< that share the first 24 bits (IPv6: 80)
    same_host, ///< addresses of filters, in other pairs or with other ports
};

struct set_options {
    set_shape shape = set_shape::intercept;
    family of = family::inet;
    std::size_t count = 100;
    std::uint64_t seed = 1;
    set_dress dress = set_dress::plain;
    locality where = locality::anywhere;
};

struct trace_options {
    std::size_t packets = 65536;
    /// How many in a hundred packets meet at least one filter.
    unsigned hit_percent = 5;
    nearness misses = nearness::mixed;
};

/// Draws the filters of one set and packets that meet them, or not. The standard library's
/// distributions differ between implementations, so only its generator is used.
///
/// A set for IPv6 is the set for IPv4 of the same seed with each address made longer: the prefix
/// 2001:db8::/32, then each bit of the IPv4 address twice, then 32 bits that only hosts have. So
/// a prefix of length n becomes one of length 32 + 2n, ranges stay ranges, and every packet matches
/// the same filters as in IPv4.
class filter_set {
public:
    explicit filter_set(const set_options& options)
        : options_(options), random_(options.seed * 0x9E37'79B9'7F4A'7C15U + 1) {
        for (std::size_t i = 0; i < std::max<std::size_t>(4, options.count / 16); ++i)
            sites_.push_back({site(), site()});
        narrow_.reserve(options.count);
        for (std::size_t i = 0; i < options.count; ++i) {
            narrow_.push_back(plain_filter(i));
            if (options.dress == set_dress::elaborate)
                elaborate(narrow_.back());
        }
        filters_ = narrow_;
        if (options.of == family::inet6) {
            for (filter_spec& spec : filters_)
                widen(spec);
        }
    }
    filter_set(set_shape shape, family of, std::size_t count, std::uint64_t seed,
               set_dress dress = set_dress::plain)
        : filter_set(set_options{shape, of, count, seed, dress, locality::anywhere}) {}

    const std::vector<filter_spec>& filters() const { return filters_; }
    const set_options& options() const { return options_; }

    /// Packets of which exactly the asked share meets a filter, in random order. Where no packet of
    /// one kind is found in a thousand attempts, it is of the other kind.
    std::vector<packet_key> trace(const trace_options& asked) {
        const reference_matcher reference(narrow_);
        std::vector<packet_key> keys;
        keys.reserve(asked.packets);
        std::size_t hits_left = filters_.empty() ? 0 : asked.packets * asked.hit_percent / 100;
        for (std::size_t left = asked.packets; left != 0; --left) {
            const bool wanted = below(left) < hits_left;
            hits_left -= wanted ? 1 : 0;
            packet_key key;
            for (unsigned attempt = 0; attempt < 1000; ++attempt) {
                key = wanted ? hit() : miss(asked.misses);
                if (reference.any(key) == wanted)
                    break;
            }
            if (options_.of == family::inet6)
                widen(key);
            keys.push_back(key);
        }
        return keys;
    }
    std::vector<packet_key> trace(std::size_t packets, unsigned hit_percent) {
        return trace({packets, hit_percent, nearness::mixed});
    }

private:
    using addresses = range_list<address_bits>;
    using port_numbers = range_list<std::uint16_t>;

    std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
    bool chance(unsigned percent) { return below(100) < percent; }
    template <class T>
    const T& any_of(const std::vector<T>& list) {
        return list[below(list.size())];
    }

    // --- filters

    bool is_clustered() const { return options_.where == locality::clustered; }

    /// An address inside the networks that are tapped: 16 of them.
    address_bits tapped_address() {
        const std::uint64_t hosts = !is_clustered()            ? 1U << 20
                                    : options_.count <= 20'000 ? 1U << 14
                                                               : 1U << 16;
        return {0, (10U << 24) | (below(16) << 20) | below(hosts)};
    }

    /// What a firewall filter is about.
    address_bits site() {
        return is_clustered() ? tapped_address() : address_bits{0, random_() & 0xFFFF'FFFFU};
    }

    template <class T>
    static range_entry<T> span(const T& first, const T& last) {
        range_entry<T> entry;
        entry.first = first;
        entry.last = last;
        return entry;
    }
    static range_entry<address_bits> one(const address_bits& address) {
        return span(address, address);
    }
    template <class T>
    static range_list<T> just(T first, T last) {
        return {{span(first, last)}};
    }
    static range_entry<address_bits> around(const address_bits& address, std::uint64_t length) {
        const ip_prefix block{ip_address(family::inet, address), static_cast<std::uint8_t>(length)};
        return span(block.first().bits(), block.last().bits());
    }

    std::uint16_t port() { return static_cast<std::uint16_t>(below(chance(50) ? 1024 : 65536)); }
    std::uint8_t transport() { return chance(70) ? 6 : 17; }

    void add_transport(filter_spec& spec) {
        const std::uint8_t protocol = transport();
        const std::uint16_t number = port();
        spec.protocols = just(protocol, protocol);
        (chance(70) ? spec.destination_ports : spec.source_ports) = just(number, number);
    }

    filter_spec plain_filter(std::size_t index) {
        filter_spec spec;
        spec.families = family::inet;
        switch (options_.shape) {
        case set_shape::intercept:
            intercept_filter(spec, index);
            break;
        case set_shape::firewall:
            firewall_filter(spec);
            break;
        case set_shape::ports:
            ports_filter(spec);
            break;
        case set_shape::scopes:
            scopes_filter(spec);
            break;
        case set_shape::icmp:
            icmp_filter(spec);
            break;
        }
        return spec;
    }

    void intercept_filter(filter_spec& spec, std::size_t index) {
        if (index < std::min<std::size_t>(20, options_.count / 100))
            return add_transport(spec);
        const auto either = [&]() -> addresses& {
            return chance(50) ? spec.destination_addresses : spec.source_addresses;
        };
        const std::uint64_t kind = below(100);
        if (kind < 35) {
            spec.destination_addresses.entries = {one(tapped_address())};
        } else if (kind < 60) {
            spec.source_addresses.entries = {one(tapped_address())};
        } else if (kind < 75 || kind >= 93) {
            spec.source_addresses.entries = {one(tapped_address())};
            spec.destination_addresses.entries = {one(tapped_address())};
            if (kind >= 93)
                add_transport(spec);
        } else if (kind < 88) {
            either().entries = {chance(60) ? one(tapped_address())
                                           : around(tapped_address(), 24 + below(7))};
            add_transport(spec);
        } else {
            either().entries = {around(tapped_address(), (is_clustered() ? 25 : 16) +
                                                             below(is_clustered() ? 5 : 13))};
        }
    }

    port_numbers port_range() {
        switch (below(5)) {
        case 0:
            return {};
        case 1:
            return just<std::uint16_t>(0, 1023);
        case 2:
            return just<std::uint16_t>(1024, 65535);
        case 3: {
            const std::uint16_t number = port();
            return just(number, number);
        }
        default: {
            const std::uint64_t first = port();
            const std::uint64_t last = std::min<std::uint64_t>(first + below(2000), 65535);
            return just(static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last));
        }
        }
    }

    /// As few sites are shared by many filters, prefixes of several lengths overlap.
    void firewall_filter(filter_spec& spec) {
        constexpr std::array<std::uint8_t, 8> scattered = {8, 12, 16, 20, 24, 24, 28, 32};
        constexpr std::array<std::uint8_t, 8> dense = {18, 20, 22, 24, 24, 26, 28, 32};
        const auto& lengths = is_clustered() ? dense : scattered;
        const auto& [source, destination] = any_of(sites_);
        spec.source_addresses.entries = {around(source, lengths[below(lengths.size())])};
        spec.destination_addresses.entries = {around(destination, lengths[below(lengths.size())])};
        const std::uint8_t protocol = transport();
        spec.protocols = just(protocol, protocol);
        spec.source_ports = chance(60) ? port_numbers() : port_range();
        spec.destination_ports = port_range();
    }

    void ports_filter(filter_spec& spec) {
        add_transport(spec);
        if (chance(20)) {
            auto& side = chance(50) ? spec.source_ports : spec.destination_ports;
            const auto first = static_cast<std::uint16_t>(below(65000));
            side = just(first, static_cast<std::uint16_t>(first + below(16)));
        }
    }

    interface_id interface() { return interface_id(static_cast<std::uint32_t>(below(16384))); }
    vrf_id vrf() { return vrf_id(static_cast<std::uint32_t>(below(4096))); }

    void scopes_filter(filter_spec& spec) {
        std::vector<interface_id> interfaces{interface()};
        while (chance(20) && interfaces.size() < 4)
            interfaces.push_back(interface());
        switch (below(4)) {
        case 0:
            spec.scope = vrf_scope{vrf()};
            break;
        case 1:
            spec.scope = output_scope{interfaces};
            break;
        default:
            spec.scope = input_scope{interfaces};
            break;
        }
        if (chance(40))
            add_transport(spec);
    }

    void icmp_filter(filter_spec& spec) {
        spec.protocols = just<std::uint8_t>(1, 1);
        const auto type = static_cast<std::uint8_t>(below(64));
        const auto code = static_cast<std::uint8_t>(below(32));
        spec.icmp_types = just(type, type);
        if (chance(80))
            spec.icmp_codes = just(code, code);
    }

    // --- dress

    void elaborate(filter_spec& spec) {
        const bool to = !spec.destination_addresses.is_wildcard();
        addresses& used = to ? spec.destination_addresses : spec.source_addresses;
        addresses& other = to ? spec.source_addresses : spec.destination_addresses;
        const bool has_address = !used.is_wildcard();
        const std::uint64_t kind = below(5);
        if (kind == 0 && has_address) {
            for (std::uint64_t more = 1 + below(4); more != 0; --more)
                used.entries.push_back(one(tapped_address()));
        } else if (kind == 1 && has_address) {
            auto& last = used.entries.front().last;
            last.low = std::min<std::uint64_t>(last.low + 1 + below(20), 0xFFFF'FFFFU);
        } else if (kind == 2) {
            other.entries.push_back(one(tapped_address()));
            other.entries.back().negated = true;
        } else if (kind == 3) {
            list_ports(spec);
        } else {
            pair_ports(spec);
        }
    }

    void list_ports(filter_spec& spec) {
        auto& side = spec.source_ports.is_wildcard() ? spec.destination_ports : spec.source_ports;
        if (spec.protocols.is_wildcard())
            spec.protocols = just<std::uint8_t>(6, 6);
        for (std::uint64_t more = 2 + below(5); more != 0; --more)
            side.entries.push_back(port_range().is_wildcard() ? span<std::uint16_t>(5060, 5061)
                                                              : span<std::uint16_t>(port(), 65535));
        for (auto& entry : side.entries)
            entry.last = std::min(entry.last,
                                  static_cast<std::uint16_t>(std::min(entry.first + 100, 65535)));
        if (chance(30))
            side.entries.back().negated = true;
    }

    void pair_ports(filter_spec& spec) {
        spec.port_lists = port_list_mode::pairs;
        spec.source_ports = {};
        spec.destination_ports = {};
        for (std::size_t i = 0; i < max_port_pairs; ++i) {
            const std::uint16_t from = port();
            const std::uint16_t to = port();
            spec.source_ports.entries.push_back(span(from, from));
            spec.destination_ports.entries.push_back(span(to, to));
        }
    }

    // --- packets

    std::uint64_t address_in(const value_range<address_bits>& range) {
        return range.first.low + below(range.last.low - range.first.low + 1);
    }
    std::uint64_t number_in(const auto& range) {
        return range.first + below(std::uint64_t{range.last} - range.first + 1U);
    }

    /// An entry of the list that admits; `pair` says which one when that is not free.
    template <class T>
    const range_entry<T>* entry_of(const range_list<T>& list,
                                   std::optional<std::size_t> pair = {}) {
        if (list.is_wildcard())
            return nullptr;
        const auto& entry = pair ? list.entries[*pair] : any_of(list.entries);
        return entry.negated ? nullptr : &entry;
    }

    /// Outside the networks that are tapped.
    address_bits other_address() { return {0, (172U << 24) | below(1U << 24)}; }

    /// Near one of the addresses of a filter; which side it stands on there does not matter.
    address_bits near_address(const filter_spec& spec, const addresses& list, unsigned free_bits) {
        const auto& either = !list.is_wildcard()                   ? list
                             : spec.source_addresses.is_wildcard() ? spec.destination_addresses
                                                                   : spec.source_addresses;
        const auto* entry = entry_of(either);
        const std::uint64_t base = entry == nullptr ? tapped_address().low : address_in(*entry);
        return {0, (base >> free_bits << free_bits) | below(1ULL << free_bits)};
    }

    void place_near(packet_key& key, unsigned free_bits) {
        const filter_spec& from = any_of(narrow_);
        const filter_spec& to = chance(50) ? from : any_of(narrow_);
        key.source = near_address(from, from.source_addresses, free_bits);
        key.destination = near_address(to, to.destination_addresses, free_bits);
    }

    void place(packet_key& key, nearness misses) {
        const unsigned tapped = misses == nearness::mixed ? 30 : 0;
        key.source = chance(tapped) ? tapped_address() : other_address();
        key.destination = chance(tapped) ? tapped_address() : other_address();
        if (narrow_.empty())
            return;
        if (misses == nearness::same_16)
            place_near(key, 16);
        else if (misses == nearness::same_24)
            place_near(key, 8);
        else if (misses == nearness::same_host)
            place_near(key, 0);
    }

    void set_protocol(packet_key& key, std::uint8_t protocol) {
        key.protocol = protocol;
        key.has_ports = protocol == 6 || protocol == 17;
        key.has_icmp = protocol == 1;
        key.source_port = key.has_ports ? port() : std::uint16_t{0};
        key.destination_port = key.has_ports ? port() : std::uint16_t{0};
        key.icmp_type = key.has_icmp ? static_cast<std::uint8_t>(below(64)) : std::uint8_t{0};
        key.icmp_code = key.has_icmp ? static_cast<std::uint8_t>(below(32)) : std::uint8_t{0};
    }

    /// A packet like most: TCP and UDP, some ICMP and some ESP; through any interface.
    packet_key miss(nearness misses) {
        packet_key key;
        place(key, misses);
        const std::uint64_t kind = below(100);
        set_protocol(key, kind < 4 ? 1 : kind < 6 ? 50 : transport());
        key.interface = interface();
        key.vrf = vrf();
        key.way = options_.shape == set_shape::scopes && chance(50) ? direction::egress
                                                                    : direction::ingress;
        return key;
    }

    packet_key hit() {
        const filter_spec& spec = any_of(narrow_);
        packet_key key = miss(nearness::mixed);
        if (const auto* entry = entry_of(spec.source_addresses))
            key.source.low = address_in(*entry);
        if (const auto* entry = entry_of(spec.destination_addresses))
            key.destination.low = address_in(*entry);
        if (const auto* entry = entry_of(spec.protocols))
            set_protocol(key, static_cast<std::uint8_t>(number_in(*entry)));
        else if (!spec.source_ports.is_wildcard() || !spec.destination_ports.is_wildcard())
            set_protocol(key, transport());
        std::optional<std::size_t> pair;
        if (spec.port_lists == port_list_mode::pairs)
            pair = below(max_port_pairs);
        if (const auto* entry = entry_of(spec.source_ports, pair))
            key.source_port = static_cast<std::uint16_t>(number_in(*entry));
        if (const auto* entry = entry_of(spec.destination_ports, pair))
            key.destination_port = static_cast<std::uint16_t>(number_in(*entry));
        if (const auto* entry = entry_of(spec.icmp_types))
            key.icmp_type = static_cast<std::uint8_t>(number_in(*entry));
        if (const auto* entry = entry_of(spec.icmp_codes))
            key.icmp_code = static_cast<std::uint8_t>(number_in(*entry));
        enter_scope(key, spec.scope);
        return key;
    }

    void enter_scope(packet_key& key, const filter_scope& scope) {
        key.way = direction::ingress;
        if (const auto* input = std::get_if<input_scope>(&scope)) {
            key.interface = any_of(input->interfaces);
        } else if (const auto* output = std::get_if<output_scope>(&scope)) {
            key.interface = any_of(output->interfaces);
            key.way = direction::egress;
        } else if (const auto* routed = std::get_if<vrf_scope>(&scope)) {
            key.vrf = routed->vrf;
        }
    }

    // --- IPv6

    static address_bits widen(std::uint64_t address, std::uint64_t tail) {
        std::uint64_t twice = 0;
        for (unsigned bit = 0; bit < 32; ++bit)
            twice |= ((address >> bit & 1U) * 3U) << (2 * bit);
        return {0x2001'0DB8'0000'0000U | twice >> 32, twice << 32 | (tail & 0xFFFF'FFFFU)};
    }
    /// The last 32 bits of a host's address.
    static std::uint64_t tail_of(std::uint64_t address) {
        return (address * 0x9E37'79B9'7F4A'7C15U) >> 32;
    }
    static address_bits host(const address_bits& address) {
        return widen(address.low, tail_of(address.low));
    }
    static void widen(addresses& list) {
        for (auto& entry : list.entries) {
            const bool is_host = entry.first == entry.last;
            const address_bits last = entry.last;
            entry.first = is_host ? host(entry.first) : widen(entry.first.low, 0);
            entry.last = is_host ? entry.first : widen(last.low, ~0ULL);
        }
    }
    void widen(filter_spec& spec) const {
        spec.families = family::inet6;
        widen(spec.source_addresses);
        widen(spec.destination_addresses);
        for (auto& entry : spec.protocols.entries) {
            if (entry.first == 1)
                entry.first = entry.last = 58;
        }
    }
    static void widen(packet_key& key) {
        key.of_family = family::inet6;
        key.source = host(key.source);
        key.destination = host(key.destination);
        if (key.protocol == 1)
            key.protocol = 58;
    }

    set_options options_;
    std::mt19937_64 random_;
    std::vector<std::pair<address_bits, address_bits>> sites_;
    /// As drawn, for IPv4.
    std::vector<filter_spec> narrow_;
    std::vector<filter_spec> filters_;
};

} // namespace flowtap::filter::sets
