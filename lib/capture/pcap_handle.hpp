// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <pcap/pcap.h>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/packet/view.hpp>

namespace flowtap::capture::detail {

struct pcap_closer {
    void operator()(pcap_t* handle) const noexcept { pcap_close(handle); }
};
using pcap_handle = std::unique_ptr<pcap_t, pcap_closer>;

/// The link type of a handle. libpcap's own numbers are those of capture files but for raw IP, of
/// which module packet knows all.
inline packet::link_type link_of(pcap_t* handle) noexcept {
    return static_cast<packet::link_type>(pcap_datalink(handle));
}

/// Whether frames of `link` can be decoded.
inline bool is_supported(packet::link_type link) noexcept {
    packet::packet_view view;
    packet::decode(link, {}, 0, view);
    return view.what != packet::verdict::unsupported_link;
}

/// The time of a record with nanoseconds in the place of microseconds.
inline wall_time time_of(const pcap_pkthdr& record) noexcept {
    return wall_time(std::chrono::seconds(record.ts.tv_sec) +
                     std::chrono::nanoseconds(record.ts.tv_usec));
}

/// The octets of a record, in the form that this project uses.
inline byte_view octets_of(const pcap_pkthdr& record, const unsigned char* data) noexcept {
    return std::as_bytes(std::span(data, record.caplen));
}

} // namespace flowtap::capture::detail
