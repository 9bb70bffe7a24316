// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace flowtap::radius {

/// The first octet of a packet: what it is.
enum class packet_code : std::uint8_t {
    access_request = 1,
    access_accept = 2,
    access_reject = 3,
    accounting_request = 4,
    accounting_response = 5,
    access_challenge = 11,
    status_server = 12,
    disconnect_request = 40,
    disconnect_ack = 41,
    disconnect_nak = 42,
    coa_request = 43,
    coa_ack = 44,
    coa_nak = 45,
};

/// The attributes that this project sends or reads (RFC 2865, 2866, 2869, 3162, 3579, 4818, 5176,
/// 6911). Any
/// other number is a valid type, too.
enum class attribute_type : std::uint8_t {
    user_name = 1,
    user_password = 2,
    nas_ip_address = 4,
    nas_port = 5,
    service_type = 6,
    framed_ip_address = 8,
    reply_message = 18,
    state = 24,
    vendor_specific = 26,
    called_station_id = 30,
    calling_station_id = 31,
    nas_identifier = 32,
    proxy_state = 33,
    acct_status_type = 40,
    acct_delay_time = 41,
    acct_session_id = 44,
    event_timestamp = 55,
    nas_port_type = 61,
    tunnel_password = 69,
    message_authenticator = 80,
    nas_port_id = 87,
    nas_ipv6_address = 95,
    framed_ipv6_prefix = 97,
    error_cause = 101,
    delegated_ipv6_prefix = 123,
    framed_ipv6_address = 168,
};

/// Who numbered the attribute inside of a Vendor-Specific one: a Private Enterprise Number.
enum class vendor : std::uint32_t {
    juniper = 2636,
    /// Juniper's broadband routers, once Unisphere's: ERX in dictionaries.
    juniper_erx = 4874,
    /// Of DSL access nodes (RFC 4679).
    dsl_forum = 3561,
};

/// Attributes of vendor 2636, numbered as in FreeRADIUS' dictionary.juniper.
enum class juniper_attribute : std::uint8_t {
    local_user_name = 1,
    user_permissions = 10,
};

/// Attributes of vendor 4874, numbered as in FreeRADIUS' dictionary.erx; those from 58 on are
/// salt-encrypted.
enum class erx_attribute : std::uint8_t {
    virtual_router_name = 1,
    li_action = 58,
    med_dev_handle = 59,
    med_ip_address = 60,
    med_port_number = 61,
};

/// Attributes of vendor 3561 (RFC 4679 section 3.3).
enum class dsl_attribute : std::uint8_t {
    agent_circuit_id = 1,
    agent_remote_id = 2,
};

} // namespace flowtap::radius
