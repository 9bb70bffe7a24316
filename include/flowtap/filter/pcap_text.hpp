// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include <flowtap/core/filter_spec.hpp>
#include <flowtap/filter/api.hpp>

namespace flowtap::filter {

/// `spec` in the filter language of libpcap (pcap-filter(7)), for link types that begin with or
/// lead to an IP header; none if there is no such text: for a scope other than the global one and
/// for whole frames, as a packet alone does not show what they ask for. Who wants the text whatever
/// the scope says calls with a copy of `spec` whose scope is `global_scope`.
///
/// The text selects the packets that `matches` selects, later fragments excluded, with these
/// bounds:
/// - exact for IPv4;
/// - for IPv6, exact for packets without extension headers, and for packets whose only extension
///   header is a Fragment header. The text takes any other extension header for the packet's
///   protocol, as the language cannot follow a chain of headers;
/// - a packet too short for a port or ICMP octet that the text asks for is not selected, also where
///   the protocol alone would do for another entry of the text.
///
/// Linear in the number of entries. `spec` is one that `criterion::make` accepts.
FLOWTAP_FILTER_API std::optional<std::string> to_pcap_filter(const filter_spec& spec);

} // namespace flowtap::filter
