// SPDX-License-Identifier: Apache-2.0
#include "copy_rules.hpp"

#include <algorithm>

namespace flowtap::tap {

namespace {

/// An IPv4 address in IPv6 clothes (::ffff:0:0/96), which would pass by the rules for the address
/// that it stands for.
bool is_mapped(const ip_address& address) {
    return address.ip_family() == family::inet6 && address.bits().high == 0 &&
           address.bits().low >> 32U == 0xFFFF;
}

} // namespace

bool is_allowed(const ip_address& address, const std::optional<std::vector<ip_prefix>>& allowed,
                const std::vector<ip_address>& own) {
    if (!address.is_unicast() || is_mapped(address))
        return false;
    if (allowed)
        return std::any_of(allowed->begin(), allowed->end(),
                           [&](const ip_prefix& prefix) { return prefix.contains(address); });
    return !address.is_loopback() && std::find(own.begin(), own.end(), address) == own.end();
}

} // namespace flowtap::tap
