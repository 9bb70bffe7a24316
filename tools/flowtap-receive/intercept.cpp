// SPDX-License-Identifier: Apache-2.0
#include "intercept.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace flowtap::tools {

intercept_key key_of(const received_copy& copy) noexcept {
    return {copy.kind, copy.mirror.intercept_id, copy.mirror.session_id, copy.destination,
            copy.source};
}

std::string_view name_of(packet::encapsulation_kind kind) noexcept {
    switch (kind) {
    case packet::encapsulation_kind::udp:
        return "udp";
    case packet::encapsulation_kind::udp_mirror:
        return "mirror";
    case packet::encapsulation_kind::ip_in_ip:
        break;
    }
    return "ip-in-ip";
}

std::string file_name(const intercept_key& key) {
    std::string name;
    if (key.kind == packet::encapsulation_kind::ip_in_ip)
        name = fmt::format("{}-{}-{}", name_of(key.kind), to_string(key.source.address),
                           to_string(key.destination.address));
    else
        name =
            fmt::format("{}-{}-{}-{}-{}", name_of(key.kind), to_string(key.source.address),
                        key.source.port, to_string(key.destination.address), key.destination.port);
    if (key.kind == packet::encapsulation_kind::udp_mirror)
        name += fmt::format("-{:08x}-{:08x}", key.intercept_id, key.session_id);
    std::replace(name.begin(), name.end(), ':', '_');
    return name + ".pcap";
}

} // namespace flowtap::tools
