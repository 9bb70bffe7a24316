// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <flowtap/path/snapshot.hpp>

namespace flowtap::path {

namespace {

bool is_address(const ip_address& known, family of, const address_bits& address) noexcept {
    return known.ip_family() == of && (known.bits() == address_bits{} || known.bits() == address);
}

bool is_service(const endpoint& service, family of, const address_bits& address,
                std::uint16_t port) noexcept {
    return service.port == port && is_address(service.address, of, address);
}

bool is_other_end(const std::optional<ip_address>& known, family of,
                  const address_bits& address) noexcept {
    return !known || is_address(*known, of, address);
}

} // namespace

bool own_traffic::entry::joins(const packet_key& key) const noexcept {
    return protocol == key.protocol &&
           ((is_service(service, key.of_family, key.source, key.source_port) &&
             is_other_end(other_end, key.of_family, key.destination)) ||
            (is_service(service, key.of_family, key.destination, key.destination_port) &&
             is_other_end(other_end, key.of_family, key.source)));
}

bool own_traffic::entry::may_join(const packet_key& key) const noexcept {
    return protocol == key.protocol &&
           ((is_address(service.address, key.of_family, key.source) &&
             is_other_end(other_end, key.of_family, key.destination)) ||
            (is_address(service.address, key.of_family, key.destination) &&
             is_other_end(other_end, key.of_family, key.source)));
}

void own_traffic::add(std::uint8_t protocol, const endpoint& service,
                      const std::optional<ip_address>& other_end) {
    entries_.push_back({protocol, service, other_end});
    ports_ |= port_bit(service.port);
}

bool own_traffic::contains(const packet_key& key) const noexcept {
    if (!key.has_ports || !may_contain(key.source_port, key.destination_port))
        return false;
    return std::ranges::any_of(entries_, [&key](const entry& known) { return known.joins(key); });
}

bool own_traffic::may_contain(const packet_key& key) const noexcept {
    return std::ranges::any_of(entries_,
                               [&key](const entry& known) { return known.may_join(key); });
}

} // namespace flowtap::path
