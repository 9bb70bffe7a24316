// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/filter_spec.hpp>

namespace flowtap::config {

/// `policy NAME` of radius-flow-tap: what of a subscriber's packets is not mirrored.
struct drop_policy {
    std::string name;
    /// One for each `drop-policy` term, in the order of their names; scopes are global.
    std::vector<filter_spec> terms;

    friend bool operator==(const drop_policy&, const drop_policy&) = default;
};

/// One of `interfaces`: a way out for copies.
struct pool_interface {
    /// With its unit.
    std::string name;
    /// `egress-device` of the interface; empty when none is bound to it: copies leave as the
    /// routing table says.
    std::string device;
    /// `egress-source-port` of the interface.
    std::optional<std::uint16_t> source_port = std::nullopt;
    /// Those of the unit, one of each family at most.
    std::vector<ip_address> addresses = {};

    friend bool operator==(const pool_interface&, const pool_interface&) = default;
};

/// `radius-client ADDRESS`: who may tell of subscribers and ask for mirroring.
struct radius_client {
    ip_address address;
    /// In clear.
    std::string secret;

    friend bool operator==(const radius_client&, const radius_client&) = default;
};

/// `static-subscriber NAME`: a subscriber who never logs in or out.
struct static_subscriber {
    std::string name;
    std::string user_name = {};
    /// Of `accounting-session-id`, else of `name`.
    std::string accounting_session = {};
    std::vector<ip_prefix> addresses = {};
    /// With its unit.
    std::string interface = {};
    std::string nas_port_id = {};
    std::string circuit_id = {};
    std::string remote_id = {};
    std::string calling_station = {};
    std::string routing_instance = {};
    std::string logical_system = {};

    friend bool operator==(const static_subscriber&, const static_subscriber&) = default;
};

/// How a user's notifications are authenticated: HMAC-SHA-96 (RFC 3414) or HMAC-192-SHA-256
/// (RFC 7860).
enum class snmp_authentication : std::uint8_t { sha, sha256 };

/// `snmp user NAME`: who is entitled to notifications about subscribers.
struct snmp_user {
    std::string name;
    snmp_authentication authentication = snmp_authentication::sha256;
    /// In clear, as what follows.
    std::string authentication_password = {};
    /// Of AES with 128 bits (RFC 3826).
    std::string privacy_password = {};

    friend bool operator==(const snmp_user&, const snmp_user&) = default;
};

/// `snmp`: where notifications about subscribers go, each of them for each user.
struct snmp_settings {
    std::vector<ip_address> targets = {};
    std::uint16_t port = 162;
    /// In the order of their names; never empty when there are targets.
    std::vector<snmp_user> users = {};

    friend bool operator==(const snmp_settings&, const snmp_settings&) = default;
};

/// `services radius-flow-tap`
struct radius_flow_tap_settings {
    /// In the order in which they are written.
    std::vector<pool_interface> pool = {};
    std::optional<ip_address> source_address = std::nullopt;
    /// That of `forwarding-class`; none: that of each packet.
    std::optional<std::uint8_t> dscp = std::nullopt;
    /// Of triggers that name none; empty for the default one.
    std::string routing_instance = {};
    /// In the order of their names.
    std::vector<drop_policy> policies = {};
    /// Sessions that are mirrored at a time, and sessions at all.
    std::uint32_t session_limit = 2048;
    std::uint32_t subscriber_limit = 100'000;
    std::vector<radius_client> clients = {};
    /// Where they are listened to; never empty when there are clients.
    std::vector<ip_address> listen = {};
    std::uint16_t accounting_port = 1813;
    std::uint16_t authorization_port = 3799;
    /// In the order of their names.
    std::vector<static_subscriber> static_subscribers = {};
    snmp_settings snmp = {};

    friend bool operator==(const radius_flow_tap_settings&,
                           const radius_flow_tap_settings&) = default;
};

} // namespace flowtap::config
