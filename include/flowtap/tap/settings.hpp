// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/dtcp/version.hpp>
#include <flowtap/path/sink.hpp>
#include <flowtap/tap/api.hpp>

namespace flowtap::tap {

/// Most criteria per system: Junos' limits for the two flavours of the service.
inline constexpr std::size_t flow_tap_criteria = 100;
inline constexpr std::size_t flow_tap_lite_criteria = 3000;

/// What holds for one control source, or as the default for all without settings of their own.
struct control_source_settings {
    /// The key of its HMAC.
    std::string key = "Juniper";
    port_list_mode port_lists = port_list_mode::pairs;
    /// Whether Seq is checked (498).
    bool sequence_check = false;
    /// A quota within the system's limit. In `settings::sources` it is set aside for this control
    /// source; as a default it is a bound on each control source, set aside for none.
    std::optional<std::size_t> criteria_limit;
    /// Sends notifications to every channel of this source, asked for or not.
    bool notify = false;
    std::vector<endpoint> notification_targets;
    std::optional<dtcp::version> notification_version;
    /// Where copies may go, and from which address. None: any unicast address except loopback and
    /// the access point's own.
    std::optional<std::vector<ip_prefix>> allowed_destinations;
    std::optional<std::vector<ip_prefix>> allowed_source_addresses;
};

/// One logical interface that can be named in an ADD.
struct interface_settings {
    /// With its unit: `ge-0/0/0.0`.
    std::string name;
    /// The routing instance it belongs to; empty for the default one.
    std::string routing_instance;
    /// The port its frames come in through, if it is bound to a device or a file.
    std::optional<port_id> port;
    /// None: unit 0, which takes what no other unit claims.
    std::optional<std::uint16_t> vlan;
};

/// A service of the access point's own, whose packets are never tapped: DTCP, RADIUS, an operator's
/// session.
struct own_service {
    /// 6 (TCP) or 17 (UDP).
    std::uint8_t protocol = 6;
    /// An unspecified address stands for every address of its family.
    endpoint where;
};

/// What an access point serves: the flow-tap part of a configuration, made ready.
struct settings {
    family_set families = family::inet;
    /// Most criteria at a time, over all control sources.
    std::size_t criteria_limit = flow_tap_criteria;
    /// Most content destinations in use at a time (551). The data path has room for at least as
    /// many streams, and for those that workers have yet to forget.
    std::size_t destination_limit = 65'536;
    /// Most octets of memory that all criteria may take once they are compiled. An ADD beyond it is
    /// answered with 500.
    std::size_t filter_memory = std::size_t{1} << 30;
    control_source_settings default_source;
    /// By Csource-ID.
    std::map<std::string, control_source_settings, std::less<>> sources;
    std::vector<interface_settings> interfaces;
    std::vector<std::string> routing_instances;
    /// Never a destination or a source of copies, unless the list of what a control source may use
    /// has it.
    std::vector<ip_address> own_addresses;
    std::vector<own_service> own_services;
};

} // namespace flowtap::tap
