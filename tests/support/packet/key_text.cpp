// SPDX-License-Identifier: Apache-2.0
#include "key_text.hpp"

#include <flowtap/core/address.hpp>

namespace flowtap::test {

namespace {

std::string number_or_dash(unsigned number, bool valid) {
    return valid ? std::to_string(number) : "-";
}

} // namespace

std::string name_of(packet::verdict what) {
    switch (what) {
    case packet::verdict::ip:
        return "ip";
    case packet::verdict::later_fragment:
        return "later_fragment";
    case packet::verdict::not_ip:
        return "not_ip";
    case packet::verdict::cut_short:
        return "cut_short";
    case packet::verdict::malformed:
        return "malformed";
    case packet::verdict::unsupported_link:
        return "unsupported_link";
    }
    return "unknown";
}

std::string to_line(const packet::packet_view& view) {
    if (view.ip.empty())
        return name_of(view.what);
    const packet_key& key = view.key;
    return name_of(view.what) + ' ' + to_string(ip_address(key.of_family, key.source)) + ' ' +
           to_string(ip_address(key.of_family, key.destination)) + ' ' +
           std::to_string(key.protocol) + ' ' + number_or_dash(key.source_port, key.has_ports) +
           ' ' + number_or_dash(key.destination_port, key.has_ports) + ' ' +
           number_or_dash(key.icmp_type, key.has_icmp) + ' ' +
           number_or_dash(key.icmp_code, key.has_icmp) + ' ' + std::to_string(view.fragment_offset);
}

} // namespace flowtap::test
