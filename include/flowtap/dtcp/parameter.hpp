// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <flowtap/dtcp/api.hpp>

namespace flowtap::dtcp {

/// Every parameter that is known, in the order in which a LIST entry and a request write them.
enum class parameter : std::uint8_t {
    seq,
    criteria_id,
    csource_id,
    cdest_id,
    csource_address,
    timestamp,
    flags,
    // The filter.
    source_address,
    dest_address,
    protocol,
    source_port,
    dest_port,
    icmp_type,
    icmp_code,
    // Timeouts.
    timeout_idle,
    timeout_total,
    timeout_packets,
    timeout_bytes,
    priority,
    action,
    // Flow-Tap (draft-cavuto-dtcp-03, appendix B).
    x_jtap_cdest_dest_address,
    x_jtap_cdest_dest_port,
    x_jtap_cdest_source_address,
    x_jtap_cdest_source_port,
    x_jtap_cdest_ttl,
    x_jtap_input_interface,
    x_jtap_output_interface,
    x_jtap_vrf_name,
    x_jtap_ip_version,
    x_jtap_filter_family,
    // Subscriber secure policy (Junos).
    x_md_intercept_id,
    x_user_name,
    x_act_sess_id,
    x_ip_addr,
    x_interface_id,
    x_nas_port_id,
    x_rm_circuit_id,
    x_call_sta_id,
    x_logical_system,
    x_router_instance,
    x_drop_policy,
    // Of responses and notifications.
    remaining_idle,
    remaining_total,
    remaining_packets,
    remaining_bytes,
    average_bandwidth,
    matching_packets,
    matching_bytes,
    num_refresh,
    last_refresh,
    criteria_num,
    criteria_count,
    num_criteria, ///< what DTCP/0.5 calls Criteria-Count
    alert_info,
    alert_bandwidth,
    max_bandwidth,
    dropped_packets,  ///< of a 598; the draft names no parameter for it
    dropped_bytes,    ///< of a 598; the draft names no parameter for it
    x_offending_line, ///< our own: a line that an error answer cannot repeat as it stands
    authentication_info,
};

/// The name as clients write it, `Source-Address`.
FLOWTAP_DTCP_API std::string_view name_of(parameter known) noexcept;

/// The name as servers write it, `SOURCE-ADDRESS`.
FLOWTAP_DTCP_API std::string_view upper_name_of(parameter known) noexcept;

/// The parameter of that name, regardless of case.
FLOWTAP_DTCP_API std::optional<parameter> find_parameter(std::string_view name) noexcept;

} // namespace flowtap::dtcp
