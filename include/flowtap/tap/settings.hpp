// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/dtcp/parser.hpp>
#include <flowtap/dtcp/version.hpp>
#include <flowtap/path/sink.hpp>
#include <flowtap/path/snapshot.hpp>
#include <flowtap/tap/api.hpp>

namespace flowtap::tap {

/// Most criteria per system: Junos' limits for the two flavours of the service.
inline constexpr std::size_t flow_tap_criteria = 100;
inline constexpr std::size_t flow_tap_lite_criteria = 3000;

/// How a control source may send its requests over UDP.
struct udp_access {
    /// The local ports that take them; none given: every one that is listened on.
    std::vector<std::uint16_t> ports;
    /// Where they must come from; none given: anywhere. A filter, and no proof of anything.
    std::vector<ip_prefix> source_addresses;
};

/// What holds for one control source, or as the default for all without settings of their own.
struct control_source_settings {
    /// The key of its HMAC.
    std::string key = "Juniper";
    /// None: pairs over SSH; product over UDP and in dynamic flow capture.
    std::optional<port_list_mode> port_lists;
    /// Whether Seq is checked (498). None: over UDP.
    std::optional<bool> sequence_check;
    /// None: its requests are not taken over UDP, as if it did not exist.
    std::optional<udp_access> udp;
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

    // In dynamic flow capture only.
    /// The `capture_group_settings` it belongs to.
    std::string capture_group;
    /// The content destinations of its group that it may name. To it, no other exists.
    std::vector<std::string> content_destinations;
    /// An ADD with a lower priority is refused (400).
    std::uint8_t minimum_priority = 0;
};

/// A limit on the bandwidth towards a content destination, in bit/s of matched packets, averaged
/// over ten seconds.
struct bandwidth_limit {
    /// Above this it acts.
    std::uint64_t limit = 0;
    /// Soft: at or below this it is armed again. Hard: criteria are purged until this is met.
    std::uint64_t low = 0;
};

/// Where copies go in dynamic flow capture: a configured destination that requests name.
struct content_destination_settings {
    /// The outer addresses of the copies, which are IP-in-IP.
    ip_address address;
    ip_address source_address;
    std::uint8_t ttl = 255;
    std::optional<bandwidth_limit> soft;
    std::optional<bandwidth_limit> hard;
};

/// `capture-group` of dynamic flow capture: the interfaces whose packets are captured, and what
/// holds for the criteria of its control sources.
struct capture_group_settings {
    /// With their units; none given: every interface.
    std::vector<std::string> interfaces;
    /// Copies of one packet at most; the others are dropped and told by 598.
    std::uint16_t max_duplicates = 3;
    /// How often 598 is sent while copies are dropped, for whatever cause.
    std::chrono::seconds duplicates_dropped_period{30};
    /// Packets per second above which the input of all its interfaces together is sampled.
    std::optional<std::uint64_t> input_packet_rate;
    /// Per cent of `settings::filter_memory` in use above which an ADD is answered with 500.
    std::optional<unsigned> memory_threshold;
    /// By Cdest-ID.
    std::map<std::string, content_destination_settings, std::less<>> content_destinations;
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
    /// A server of somebody else, as RADIUS is: only its packets from and to this address, which is
    /// the access point's own, are left out.
    std::optional<ip_address> other_end = std::nullopt;
};

/// What an access point serves: the flow-tap part of a configuration, made ready.
struct settings {
    /// Flow-tap, where ADD says where copies go, or dynamic flow capture, where it names one of the
    /// `capture_groups`' content destinations. The latter takes requests over UDP only.
    dtcp::service_kind service = dtcp::service_kind::flow_tap;
    /// By name. For dynamic flow capture.
    std::map<std::string, capture_group_settings, std::less<>> capture_groups;
    family_set families = family::inet;
    /// Most criteria at a time, over all control sources.
    std::size_t criteria_limit = flow_tap_criteria;
    /// Most content destinations in use at a time (551). The data path has room for at least as
    /// many streams, and for those that workers have yet to forget.
    std::size_t destination_limit = 65'536;
    /// Most octets of memory that all criteria may take once they are compiled. An ADD beyond it is
    /// answered with 500.
    std::size_t filter_memory = std::size_t{1} << 30;
    path::fragment_policy fragments = path::fragment_policy::first;
    control_source_settings default_source;
    /// By Csource-ID.
    std::map<std::string, control_source_settings, std::less<>> sources;
    /// The logins of the configuration. All others are known to a remote authority (RADIUS) alone.
    std::set<std::string, std::less<>> local_logins;
    /// How long the criteria and sessions of a login that is known to a remote authority alone last
    /// after its last login; none: there is no limit.
    std::optional<std::chrono::seconds> remote_login_lifetime;
    std::vector<interface_settings> interfaces;
    std::vector<std::string> routing_instances;
    /// Never a destination or a source of copies, unless the list of what a control source may use
    /// has it.
    std::vector<ip_address> own_addresses;
    std::vector<own_service> own_services;
};

} // namespace flowtap::tap
