// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/packet_key.hpp>
#include <flowtap/filter/criterion.hpp>

namespace flowtap::filter::testing {

/// The values that filters and packets are made of.
struct value_pools {
    std::vector<address_bits> inet;
    std::vector<address_bits> inet6;
    std::vector<std::uint16_t> ports;
    std::vector<std::uint8_t> protocols;
    /// Types and codes.
    std::vector<std::uint8_t> icmp;
};

/// Filters and packets out of the same small pools of values, so that many of them meet.
class random_filters {
public:
    explicit random_filters(std::uint64_t seed) : engine_(seed) {
        for (int i = 0; i < 24; ++i) {
            inet_.push_back(random_address(family::inet));
            inet6_.push_back(random_address(family::inet6));
        }
        for (int i = 0; i < 16; ++i)
            ports_.push_back(chance(20) ? (chance(50) ? std::uint16_t{0} : std::uint16_t{65535})
                                        : static_cast<std::uint16_t>(below(65536)));
    }

    /// The same, but with values from elsewhere. A pool that is empty is left as it was.
    random_filters(std::uint64_t seed, const value_pools& pools) : random_filters(seed) {
        replace(inet_, pools.inet);
        replace(inet6_, pools.inet6);
        replace(ports_, pools.ports);
        replace(protocols_, pools.protocols);
        replace(icmp_, pools.icmp);
    }

    std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
    bool chance(unsigned percent) { return below(100) < percent; }

    address_bits address(family of) {
        if (chance(10))
            return random_address(of);
        const auto& pool = of == family::inet ? inet_ : inet6_;
        return pool[below(pool.size())];
    }
    std::uint16_t port() {
        return chance(10) ? static_cast<std::uint16_t>(below(65536)) : ports_[below(ports_.size())];
    }
    std::uint8_t protocol() {
        return chance(90) ? protocols_[below(protocols_.size())]
                          : static_cast<std::uint8_t>(below(256));
    }
    std::uint8_t icmp() {
        return chance(90) ? icmp_[below(icmp_.size())] : static_cast<std::uint8_t>(below(256));
    }
    interface_id interface() { return interface_id(static_cast<std::uint32_t>(below(6))); }
    vrf_id vrf() { return vrf_id(static_cast<std::uint32_t>(below(3))); }

    /// A valid filter; with `scoped`, some of them look at certain interfaces only.
    filter_spec filter(family of, unsigned scoped_percent = 30) {
        filter_spec spec;
        spec.families = of;
        if (chance(60))
            spec.source_addresses = addresses(of);
        if (chance(60))
            spec.destination_addresses = addresses(of);
        if (spec.source_addresses.is_wildcard() && spec.destination_addresses.is_wildcard() &&
            chance(50))
            spec.families = chance(30) ? family_set(family::inet) | family::inet6 | family::ccc
                                       : family_set(family::inet) | family::inet6;
        if (chance(50))
            spec.protocols = list<std::uint8_t>([this] { return protocol(); });
        if (chance(40))
            port_lists(spec);
        else if (chance(20))
            spec.icmp_types = list<std::uint8_t>([this] { return icmp(); });
        if (chance(8))
            spec.icmp_codes = list<std::uint8_t>([this] { return icmp(); });
        if (chance(scoped_percent))
            spec.scope = scope();
        return spec;
    }

    packet_key packet(family of) {
        packet_key key;
        key.of_family = of;
        key.interface = interface();
        key.vrf = vrf();
        key.way = chance(25) ? direction::egress : direction::ingress;
        if (of == family::ccc)
            return key;
        key.source = address(of);
        key.destination = address(of);
        key.protocol = protocol();
        if ((key.protocol == 6 || key.protocol == 17) && chance(95)) {
            key.has_ports = true;
            key.source_port = port();
            key.destination_port = port();
        }
        if ((key.protocol == 1 || key.protocol == 58) && chance(95)) {
            key.has_icmp = true;
            key.icmp_type = icmp();
            key.icmp_code = icmp();
        }
        return key;
    }

    family any_family() {
        const auto dice = below(20);
        return dice == 0 ? family::ccc : dice < 9 ? family::inet6 : family::inet;
    }

private:
    template <class T>
    static void replace(std::vector<T>& pool, const std::vector<T>& by) {
        if (!by.empty())
            pool = by;
    }

    address_bits random_address(family of) {
        if (of == family::inet)
            return {0, engine_() & 0xFFFF'FFFFU};
        return chance(50) ? address_bits{0x2001'0DB8'0000'0000U, engine_()}
                          : address_bits{engine_(), engine_()};
    }

    template <class T, class Draw>
    range_list<T> list(const Draw& draw) {
        range_list<T> made;
        const std::size_t entries = chance(70) ? 1 : 1 + below(5);
        for (std::size_t i = 0; i < entries; ++i) {
            range_entry<T> entry;
            entry.first = entry.last = draw();
            if (chance(35)) {
                entry.last = draw();
                if (entry.last < entry.first)
                    std::swap(entry.first, entry.last);
            }
            if (chance(3))
                entry.first = T{};
            entry.negated = chance(20);
            made.entries.push_back(entry);
        }
        return made;
    }

    range_list<address_bits> addresses(family of) {
        auto made = list<address_bits>([this, of] { return address(of); });
        for (auto& entry : made.entries) {
            if (entry.first == entry.last && chance(30)) {
                const auto length =
                    static_cast<std::uint8_t>(of == family::inet ? 8 + below(25) : 16 + below(113));
                const ip_prefix prefix{ip_address(of, entry.first), length};
                entry.first = prefix.first().bits();
                entry.last = prefix.last().bits();
            } else if (chance(3)) {
                entry.last = highest_address(of);
            }
        }
        return made;
    }

    void port_lists(filter_spec& spec) {
        if (chance(30)) {
            spec.port_lists = port_list_mode::pairs;
            const std::size_t pairs = 2 + below(14);
            for (std::size_t i = 0; i < pairs; ++i) {
                spec.source_ports.entries.push_back(port_range());
                spec.destination_ports.entries.push_back(port_range());
            }
            return;
        }
        const auto draw = [this] { return port(); };
        if (chance(60))
            spec.source_ports = list<std::uint16_t>(draw);
        if (chance(60))
            spec.destination_ports = list<std::uint16_t>(draw);
    }

    range_entry<std::uint16_t> port_range() {
        range_entry<std::uint16_t> entry;
        entry.first = entry.last = port();
        if (chance(30))
            entry.last = static_cast<std::uint16_t>(
                std::min<std::uint64_t>(65535, entry.first + below(1000)));
        return entry;
    }

    filter_scope scope() {
        const auto kind = below(3);
        if (kind == 0)
            return vrf_scope{vrf()};
        std::vector<interface_id> interfaces;
        for (std::uint64_t left = 1 + below(8); left != 0; --left)
            interfaces.push_back(interface());
        if (kind == 1)
            return input_scope{interfaces};
        return output_scope{interfaces};
    }

    std::mt19937_64 engine_;
    std::vector<address_bits> inet_;
    std::vector<address_bits> inet6_;
    std::vector<std::uint16_t> ports_;
    std::vector<std::uint8_t> protocols_ = {6, 17, 1, 58, 6, 17, 47, 255};
    std::vector<std::uint8_t> icmp_ = {0, 1, 2, 3, 4, 5};
};

/// `count` criteria with slots that are neither dense nor in order.
inline std::vector<criterion> random_criteria(random_filters& random, std::size_t count,
                                              unsigned scoped_percent = 30) {
    std::vector<criterion> criteria;
    for (std::size_t i = 0; i < count; ++i) {
        const auto slot = static_cast<std::uint32_t>((i * 7919 + 13) % 1'000'003);
        const family of = random.chance(40) ? family::inet6 : family::inet;
        criteria.push_back(
            criterion::make(slot_id(slot), random.filter(of, scoped_percent)).value());
    }
    return criteria;
}

} // namespace flowtap::filter::testing
