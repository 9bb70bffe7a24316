// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/dtcp/api.hpp>
#include <flowtap/dtcp/envelope.hpp>
#include <flowtap/dtcp/error.hpp>
#include <flowtap/dtcp/request.hpp>

namespace flowtap::dtcp {

/// Which service a request is for: it decides what an ADD must say about where copies go.
enum class service_kind : std::uint8_t {
    /// The X-JTap parameters say where copies go.
    flow_tap,
    /// Cdest-ID names a configured content destination; X-JTap parameters are discarded.
    dynamic_flow_capture,
};

/// Whether a request names its sender.
enum class identity_rule : std::uint8_t {
    /// Csource-ID and Seq are required.
    required,
    /// They may be missing, as in a request kept in a file.
    optional,
};

/// What the reading of a request depends on.
struct parse_options {
    port_list_mode port_lists = port_list_mode::product;
    service_kind service = service_kind::flow_tap;
    identity_rule identity = identity_rule::required;
    /// Actions Block and Redirect are built. Otherwise they are refused with
    /// `errc::not_implemented`.
    bool has_block_and_redirect = false;
};

/// Reads a request, everything about it that needs no configuration: version, then method, then
/// fields. The caller has checked control source, authentication and sequence number before.
///
/// Whether an interface, VRF, family or content destination is configured, and which destinations
/// are allowed, is the caller's to check.
///
/// Errors carry the line and column of what is wrong and the line as received (not escaped); a
/// missing parameter has no position and its name as the subject. `status_of` maps them to
/// status codes.
/// Linear in the message. The result owns all it holds. Thread-safe.
FLOWTAP_DTCP_API result<request> parse_request(const envelope& message,
                                               const parse_options& options = {});

/// Reads the filter fields alone, and X-JTap-IP-Version, out of whatever lines there are; all
/// others are left unread. For tools that take a filter without a request around it.
/// Errors: as `parse_request` for these fields.
FLOWTAP_DTCP_API result<filter_fields> parse_filter(const envelope& message,
                                                    const parse_options& options = {});

} // namespace flowtap::dtcp
