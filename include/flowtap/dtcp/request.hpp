// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/core/range_list.hpp>
#include <flowtap/dtcp/api.hpp>
#include <flowtap/dtcp/parameter.hpp>
#include <flowtap/dtcp/version.hpp>

namespace flowtap::dtcp {

/// What every request carries. Text is unescaped here and in all messages.
struct request_header {
    version spoken = version_0_7;
    std::string csource_id;
    sequence_number seq;

    friend bool operator==(const request_header&, const request_header&) = default;
};

/// A parameter with its value exactly as it came, escapes included.
struct given_field {
    parameter name{};
    std::string text;

    friend bool operator==(const given_field&, const given_field&) = default;
};

/// The filter fields of an ADD. A field that is missing or `*` is a wildcard.
struct filter_fields {
    /// The family of the addresses, else X-JTap-IP-Version; none when neither is there.
    std::optional<family> address_family;
    range_list<address_bits> source_addresses;
    range_list<address_bits> destination_addresses;
    range_list<std::uint8_t> protocols;
    range_list<std::uint16_t> source_ports;
    range_list<std::uint16_t> destination_ports;
    /// How the two lists of ports combine, decided from the configured mode and the lists: `pairs`
    /// only for two lists of the same length, 2 to 15, without negation and neither a wildcard.
    port_list_mode port_lists = port_list_mode::product;
    range_list<std::uint8_t> icmp_types;
    range_list<std::uint8_t> icmp_codes;

    friend bool operator==(const filter_fields&, const filter_fields&) = default;
};

/// The fields as core's filter_spec. `families` holds the one family that the request names and is
/// empty when it names none, and the scope is global: the caller resolves both against its
/// configuration.
FLOWTAP_DTCP_API filter_spec make_filter_spec(filter_fields fields);

using packet_count = strong_id<struct packet_count_tag, std::uint32_t>;
using octet_count = strong_id<struct octet_count_tag, std::uint64_t>;

/// The timeouts of an ADD or REFRESH. Zero is as absent, so no value in here is zero. Octets are
/// those of the original IP packets.
struct timeouts {
    std::optional<std::chrono::seconds> idle;
    std::optional<std::chrono::seconds> total;
    std::optional<packet_count> packets;
    std::optional<octet_count> bytes;

    bool empty() const noexcept { return !idle && !total && !packets && !bytes; }

    friend bool operator==(const timeouts&, const timeouts&) = default;
};

/// The longest Timeout-Idle and Timeout-Total.
inline constexpr std::chrono::seconds longest_timeout{86400};

/// What is to happen to matching packets.
enum class packet_action : std::uint8_t {
    copy,     ///< copied and forwarded
    block,    ///< neither copied nor forwarded
    redirect, ///< copied and not forwarded
};

/// The X-JTap parameters of an ADD. Interface and VRF names are for the caller to resolve;
/// an interface name without a unit has got `.0`.
struct jtap_parameters {
    /// X-JTap-Cdest-Dest-Address and -Port, one or two, in the order of Cdest-ID.
    std::vector<endpoint> destinations;
    /// Present in every ADD but that of a subscriber.
    std::optional<ip_address> source_address;
    std::optional<std::uint16_t> source_port;
    std::uint8_t ttl = 255;
    /// At most one of the next three is given; up to eight names.
    std::vector<std::string> input_interfaces;
    std::vector<std::string> output_interfaces;
    std::optional<std::string> vrf;
    /// X-JTap-IP-Version.
    std::optional<family> ip_version;
    /// X-JTap-Filter-Family; only ever ccc.
    std::optional<family> filter_family;

    friend bool operator==(const jtap_parameters&, const jtap_parameters&) = default;
};

/// X-MD-Intercept-Id: eight octets whose top two bits are 00 (Intercept-ID and Session-ID), or
/// four whose top two bits are 01 (Intercept-ID alone). Numbers are as they stand, top bits
/// included.
struct intercept_id {
    std::uint32_t first = 0;
    std::optional<std::uint32_t> second;

    friend bool operator==(const intercept_id&, const intercept_id&) = default;
};

/// The parameters of a subscriber ADD, with exactly one trigger.
struct subscriber_parameters {
    intercept_id intercept;
    /// The trigger: which parameter names the subscriber (x_user_name, x_act_sess_id, x_ip_addr,
    /// x_interface_id, x_nas_port_id, x_rm_circuit_id or x_call_sta_id), and its value.
    parameter trigger = parameter::x_user_name;
    std::string trigger_value;
    /// Where not the default.
    std::optional<std::string> logical_system;
    std::optional<std::string> router_instance;

    friend bool operator==(const subscriber_parameters&, const subscriber_parameters&) = default;
};

struct add_request {
    request_header header;
    /// One or two in flow-tap; in a subscriber ADD there may be none.
    std::vector<std::string> cdest_ids;
    filter_fields filter;
    /// Empty when the criterion is static.
    timeouts limits;
    bool is_static = false;
    bool send_async = false;
    std::uint8_t priority = 1;
    packet_action action = packet_action::copy;
    /// Empty in dynamic flow capture, which uses none of them.
    jtap_parameters jtap;
    /// Present when the request has X-MD-Intercept-Id.
    std::optional<subscriber_parameters> subscriber;
    /// The filter fields, timeouts and X- parameters that are known, as given, in the order of
    /// `parameter`: what LIST repeats.
    std::vector<given_field> given;

    friend bool operator==(const add_request&, const add_request&) = default;
};

/// A list of criteria by number, in the entry forms of a filter field.
struct criteria_selection {
    range_list<std::uint64_t> ids;
    /// The plain numbers of it (`7`, not `7-7`): each must exist, else 431.
    std::vector<std::uint64_t> listed;

    bool selects(criteria_id id) const { return ids.admits(id.value()); }

    friend bool operator==(const criteria_selection&, const criteria_selection&) = default;
};

/// What a request is about: criteria by number, or all those of one content destination.
using selector = std::variant<criteria_selection, std::string>;

struct delete_request {
    request_header header;
    selector selected;
    /// Flags: STATIC - static criteria go too.
    bool include_static = false;

    friend bool operator==(const delete_request&, const delete_request&) = default;
};

struct refresh_request {
    request_header header;
    selector selected;
    /// At least one.
    timeouts limits;

    friend bool operator==(const refresh_request&, const refresh_request&) = default;
};

/// How much of each criterion LIST shows.
enum class list_detail : std::uint8_t { both, stats, criteria };

struct list_request {
    request_header header;
    /// None stands for everything of the caller's.
    std::optional<selector> selected;
    list_detail detail = list_detail::both;

    friend bool operator==(const list_request&, const list_request&) = default;
};

struct noop_request {
    request_header header;
    /// Flags: SendAsync - a 131 notification is sent too.
    bool send_async = false;

    friend bool operator==(const noop_request&, const noop_request&) = default;
};

/// Switches a drop policy on for mirrored subscribers (Junos, DTCP/0.8).
struct enable_request {
    request_header header;
    selector selected;
    std::string drop_policy;
    bool include_static = false;

    friend bool operator==(const enable_request&, const enable_request&) = default;
};

/// Switches a drop policy off for mirrored subscribers (Junos, DTCP/0.8).
struct disable_request {
    request_header header;
    selector selected;
    std::string drop_policy;
    bool include_static = false;

    friend bool operator==(const disable_request&, const disable_request&) = default;
};

using request = std::variant<add_request, delete_request, refresh_request, list_request,
                             noop_request, enable_request, disable_request>;

FLOWTAP_DTCP_API const request_header& header_of(const request& any) noexcept;

/// `ADD`, `DELETE`, ...
FLOWTAP_DTCP_API std::string_view method_of(const request& any) noexcept;

} // namespace flowtap::dtcp
