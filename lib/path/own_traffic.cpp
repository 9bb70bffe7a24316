// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <flowtap/path/snapshot.hpp>

namespace flowtap::path {

namespace {

constexpr std::uint64_t port_bit(std::uint16_t port) noexcept {
    return std::uint64_t{1} << (port & 63U);
}

bool is_address(const ip_address& known, family of, const address_bits& address) noexcept {
    return known.ip_family() == of && (known.bits() == address_bits{} || known.bits() == address);
}

bool is_service(const endpoint& service, family of, const address_bits& address,
                std::uint16_t port) noexcept {
    return service.port == port && is_address(service.address, of, address);
}

} // namespace

void own_traffic::add(std::uint8_t protocol, const endpoint& service) {
    entries_.push_back({protocol, service});
    ports_ |= port_bit(service.port);
}

bool own_traffic::contains(const packet_key& key) const noexcept {
    if (!key.has_ports ||
        (ports_ & (port_bit(key.source_port) | port_bit(key.destination_port))) == 0)
        return false;
    return std::ranges::any_of(entries_, [&key](const entry& known) {
        return known.protocol == key.protocol &&
               (is_service(known.service, key.of_family, key.source, key.source_port) ||
                is_service(known.service, key.of_family, key.destination, key.destination_port));
    });
}

bool own_traffic::may_contain(const packet_key& key) const noexcept {
    return std::ranges::any_of(entries_, [&key](const entry& known) {
        const ip_address& address = known.service.address;
        return known.protocol == key.protocol &&
               (is_address(address, key.of_family, key.source) ||
                is_address(address, key.of_family, key.destination));
    });
}

} // namespace flowtap::path
