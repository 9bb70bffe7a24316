// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/config/radius_flow_tap.hpp>
#include <flowtap/core/address.hpp>
#include <flowtap/core/filter_spec.hpp>
#include <flowtap/permission/login.hpp>

namespace flowtap::config {

/// How users prove who they are, in the order in which the methods are tried.
enum class authentication_method : std::uint8_t { password, radius };

/// `system radius-server ADDRESS`
struct radius_server {
    ip_address address;
    std::uint16_t port = 1812;
    /// In clear.
    std::string secret;
    std::chrono::seconds timeout{3};
    unsigned retry = 3;
    std::optional<ip_address> source_address = std::nullopt;

    friend bool operator==(const radius_server&, const radius_server&) = default;
};

/// `system login retry-options`
struct login_retries {
    /// Passwords in one connection.
    unsigned tries = 3;
    /// From the refusal of this number on in a connection, each is held back: by `backoff_factor`
    /// the first one, and by as much more each that follows.
    unsigned backoff_threshold = 2;
    std::chrono::seconds backoff_factor{5};
    /// Until somebody is logged in.
    std::chrono::seconds maximum_time{120};

    friend bool operator==(const login_retries&, const login_retries&) = default;
};

/// `system services flow-tap-dtcp ssh`
struct ssh_limits {
    /// Connections at a time.
    unsigned connection_limit = 75;
    /// Connection attempts per minute.
    unsigned rate_limit = 150;
    /// Connections of one address at a time that are not logged in.
    unsigned source_connections = 10;
    /// Refused logins of one address within ten minutes.
    unsigned source_failures = 30;

    friend bool operator==(const ssh_limits&, const ssh_limits&) = default;
};

/// One unit of an interface.
struct logical_interface {
    /// With its unit: `ge-0/0/0.100`.
    std::string name;
    unsigned unit = 0;
    /// The VLAN whose frames belong to the unit. Without one, unit 0 takes every frame that no
    /// other unit claims.
    std::optional<std::uint16_t> vlan_id = std::nullopt;
    family_set families;
    std::vector<ip_prefix> addresses = {};

    friend bool operator==(const logical_interface&, const logical_interface&) = default;
};

/// An interface of the configuration.
struct physical_interface {
    /// Without unit: `ge-0/0/0`.
    std::string name;
    /// The network device that is captured for it; empty when none is bound here.
    std::string capture_device;
    /// The network device that copies leave through when a unit of it is in a pool; empty: the
    /// routing table says.
    std::string egress_device = {};
    std::optional<std::uint16_t> egress_source_port = std::nullopt;
    std::vector<logical_interface> units;

    friend bool operator==(const physical_interface&, const physical_interface&) = default;
};

struct routing_instance {
    std::string name;
    std::string instance_type;
    /// Logical interfaces, with their units.
    std::vector<std::string> interfaces;

    friend bool operator==(const routing_instance&, const routing_instance&) = default;
};

/// A version of DTCP, as `notification-version` names it.
struct protocol_version {
    unsigned major = 0;
    unsigned minor = 0;

    friend bool operator==(const protocol_version&, const protocol_version&) = default;
};

/// `services flow-tap control-source NAME`. What is not set is decided by the user of this struct:
/// the defaults differ between SSH and UDP.
struct control_source {
    /// Its login over SSH; `default` for the one that stands for every login without its own.
    std::string name;
    /// The key of its HMACs, in clear. Without one: `Juniper` over SSH; UDP is not allowed.
    std::optional<std::string> dtcp_key = std::nullopt;
    std::optional<port_list_mode> port_lists = std::nullopt;
    std::optional<bool> sequence_check = std::nullopt;
    /// How many filters it may have; without one, as many as the system takes.
    std::optional<std::uint32_t> filter_limit = std::nullopt;
    /// Notifications go out over SSH without being asked for.
    bool notify = false;
    /// It may send its requests over UDP.
    bool udp = false;
    /// Where its requests over UDP must come from; empty: anywhere.
    std::vector<ip_prefix> source_addresses = {};
    std::vector<endpoint> notification_targets = {};
    std::optional<protocol_version> notification_version = std::nullopt;
    /// Empty: any unicast address but loopback and the access point's own.
    std::vector<ip_prefix> allowed_destinations = {};
    /// Empty: as `allowed_destinations`.
    std::vector<ip_prefix> allowed_source_addresses = {};

    friend bool operator==(const control_source&, const control_source&) = default;
};

enum class flow_tap_mode : std::uint8_t {
    flow_tap,      ///< `interface`, or neither: 100 filters
    flow_tap_lite, ///< `tunnel-interface`: 3000 filters
};

/// Which fragments of IP packets are copied.
enum class copied_fragments : std::uint8_t {
    first, ///< the first of each packet
    all,   ///< also those that follow it
};

/// `services flow-tap`
struct flow_tap_settings {
    flow_tap_mode mode = flow_tap_mode::flow_tap;
    /// The service or tunnel interface, with its unit; empty when none is given.
    std::string service_interface;
    /// The families that are tapped; never empty.
    family_set families = family::inet;
    /// Filters of all control sources together: as configured, else by the mode.
    std::uint32_t filter_limit = 100;
    copied_fragments fragments = copied_fragments::first;
    /// Packets that no filter can match are kept in the kernel.
    bool kernel_filter = false;
    /// How long criteria of a login that RADIUS alone knows stay after its last login; none: there
    /// is no limit.
    std::optional<std::chrono::minutes> remote_login_lifetime = std::nullopt;
    /// Where requests over UDP come in.
    std::vector<endpoint> udp_listen = {};
    /// `control-source default`.
    std::optional<control_source> default_source = std::nullopt;
    /// In the order of their names, without `default`.
    std::vector<control_source> control_sources;

    /// The settings of a login: its own, else those of `default`, else all unset. The name in the
    /// answer is the login's.
    control_source settings_of(std::string_view login) const;

    friend bool operator==(const flow_tap_settings&, const flow_tap_settings&) = default;
};

/// A limit in bit/s and what it comes down to: `soft-limit` and `soft-limit-clear`, `hard-limit`
/// and `hard-limit-target`.
struct bandwidth_limit {
    std::uint64_t limit = 0;
    std::uint64_t low = 0;

    friend bool operator==(const bandwidth_limit&, const bandwidth_limit&) = default;
};

/// `content-destination NAME` of a capture group.
struct content_destination {
    std::string name;
    ip_address address;
    std::uint8_t ttl = 255;
    std::optional<bandwidth_limit> soft = std::nullopt;
    std::optional<bandwidth_limit> hard = std::nullopt;

    friend bool operator==(const content_destination&, const content_destination&) = default;
};

/// `control-source NAME` of a capture group.
struct capture_control_source {
    std::string name;
    /// Where its requests must come from; empty: anywhere.
    std::vector<ip_address> source_addresses = {};
    /// The UDP port that takes its requests.
    std::uint16_t service_port = 0;
    std::vector<endpoint> notification_targets = {};
    /// In clear.
    std::string shared_key = {};
    /// Names of content destinations of the group.
    std::vector<std::string> allowed_destinations = {};
    std::uint8_t minimum_priority = 0;
    bool no_syslog = false;

    friend bool operator==(const capture_control_source&, const capture_control_source&) = default;
};

/// `services dynamic-flow-capture capture-group NAME`, with the values of `g-...` filled in.
struct capture_group {
    std::string name;
    /// With their units; empty: every interface.
    std::vector<std::string> interfaces = {};
    /// Packets per second.
    std::optional<std::uint64_t> input_packet_rate_threshold = std::nullopt;
    std::uint16_t max_duplicates = 3;
    std::chrono::seconds duplicates_dropped_periodicity{30};
    /// Per cent.
    std::optional<unsigned> memory_threshold = std::nullopt;
    std::vector<capture_control_source> control_sources = {};
    std::vector<content_destination> content_destinations = {};

    friend bool operator==(const capture_group&, const capture_group&) = default;
};

/// `services dynamic-flow-capture`. No two groups have a control source of the same name.
struct dynamic_flow_capture_settings {
    std::vector<capture_group> groups;

    friend bool operator==(const dynamic_flow_capture_settings&,
                           const dynamic_flow_capture_settings&) = default;
};

/// Everything this program takes from its configuration, resolved: names have their units, secrets
/// are in clear, defaults are filled in. A value; compare two with `apply` (changes.hpp).
struct configuration {
    permission::login_directory logins;
    std::vector<authentication_method> authentication_order{authentication_method::password};
    std::vector<radius_server> radius_servers;
    login_retries retries = {};
    /// Absent when `system services flow-tap-dtcp ssh` is not configured.
    std::optional<ssh_limits> flow_tap_dtcp = std::nullopt;
    std::vector<physical_interface> interfaces;
    std::vector<routing_instance> routing_instances;
    /// DSCP by the name of a forwarding class; the four of Junos are always there.
    std::map<std::string, std::uint8_t, std::less<>> forwarding_classes;
    /// Absent when `services flow-tap` is not configured.
    std::optional<flow_tap_settings> flow_tap = std::nullopt;
    /// Absent when `services dynamic-flow-capture` is not configured; never beside `flow_tap`.
    std::optional<dynamic_flow_capture_settings> dynamic_flow_capture = std::nullopt;

    /// Absent when `services radius-flow-tap` is not configured.
    std::optional<radius_flow_tap_settings> radius_flow_tap = std::nullopt;

    /// A configuration of nothing but defaults.
    configuration();

    /// The unit that a name stands for; a name without unit means unit 0. Null when there is none.
    const logical_interface* find_unit(std::string_view name) const noexcept;
    const physical_interface* find_interface(std::string_view name) const noexcept;
    const routing_instance* find_instance(std::string_view name) const noexcept;

    friend bool operator==(const configuration&, const configuration&) = default;
};

/// `ge-0/0/0` as `ge-0/0/0.0`; a name with a unit as it is.
std::string with_unit(std::string_view interface_name);

} // namespace flowtap::config
