// SPDX-License-Identifier: Apache-2.0
#include "capture_intake.hpp"

#include <span>
#include <utility>

#include <flowtap/capture/live_source.hpp>
#include <flowtap/capture/pcap_file_source.hpp>
#include <flowtap/packet/decapsulation.hpp>
#include <flowtap/packet/error.hpp>

namespace flowtap::tools {

namespace {

/// Octets of the kernel's buffer for a device.
constexpr std::size_t device_buffer = std::size_t{32} << 20;
/// Copies that are put together from fragments at a time.
constexpr std::size_t packets_in_pieces = 1024;

refusal refusal_for(const error& reason) {
    if (reason.code == packet::errc::cut_short)
        return refusal::cut_short;
    if (reason.code == packet::errc::malformed)
        return refusal::malformed;
    if (reason.code == packet::errc::not_ip)
        return refusal::not_ip;
    return refusal::not_encapsulated;
}

/// Takes `packet` out of its encapsulation and hands it over.
void open_copy(const packet::packet_view& packet, packet::encapsulation_kind expected,
               wall_time time, collector& to) {
    // The mirror header is read apart, so that a wrong one is told from a wrong packet.
    const bool has_mirror = expected == packet::encapsulation_kind::udp_mirror;
    const auto found =
        packet::decapsulate(has_mirror ? packet::encapsulation_kind::udp : expected, packet);
    if (!found)
        return to.refuse(refusal_for(found.error()));
    received_copy copy;
    copy.kind = expected;
    copy.source = found->source;
    copy.destination = found->destination;
    copy.ip_checksum = found->ip_checksum;
    copy.udp_checksum = found->udp_checksum;
    copy.inner = found->inner;
    copy.time = time;
    if (has_mirror) {
        const auto mirrored = packet::read_mirror_header(found->inner);
        if (!mirrored)
            return to.refuse(refusal::no_mirror_header);
        copy.mirror = mirrored->header;
        copy.inner = mirrored->inner;
    }
    to.take(copy);
}

} // namespace

capture_intake::capture_intake(sources from, packet::encapsulation_kind expected)
    : sources_(std::move(from)), expected_(expected), fragments_({packets_in_pieces, 128}) {}

result<std::unique_ptr<capture_intake>>
capture_intake::read_files(const std::vector<std::string>& paths,
                           packet::encapsulation_kind expected) {
    sources made;
    for (const std::string& path : paths) {
        auto opened = capture::pcap_file_source::open(path);
        if (!opened)
            return fail(opened.error());
        made.push_back(std::move(*opened));
    }
    return std::unique_ptr<capture_intake>(new capture_intake(std::move(made), expected));
}

result<std::unique_ptr<capture_intake>>
capture_intake::watch_device(const std::string& device, const std::string& filter,
                             packet::encapsulation_kind expected) {
    capture::live_options options;
    options.which = capture::observe::ingress;
    options.mode = capture::reception::promiscuous;
    options.buffer = device_buffer;
    options.filter = filter;
    auto opened = capture::live_source::open(device, options);
    if (!opened)
        return fail(opened.error());
    sources made;
    made.push_back(std::move(*opened));
    std::unique_ptr<capture_intake> intake(new capture_intake(std::move(made), expected));
    intake->device_ = device;
    return intake;
}

void capture_intake::take(const path::captured_packet& captured, collector& to) {
    packet::packet_view view;
    packet::decode(captured.link, captured.frame, captured.wire_length, view);
    const bool is_piece = view.what == packet::verdict::later_fragment ||
                          (view.what == packet::verdict::ip && view.more_fragments);
    if (!is_piece)
        return open_copy(view, expected_, captured.time, to);
    const byte_view whole = fragments_.add(view);
    if (whole.empty())
        return;
    packet::decode(packet::link_type::raw, whole, whole.size(), view);
    open_copy(view, expected_, captured.time, to);
}

intake_state capture_intake::receive(collector& to, std::chrono::milliseconds limit) {
    path::source& from = *sources_[current_];
    const path::read_result got = from.read(packets_);
    for (const path::captured_packet& each : std::span(packets_).first(got.count))
        if (!to.is_full())
            take(each, to);
    switch (got.state) {
    case path::source_state::ready:
        return intake_state::ready;
    case path::source_state::idle:
        from.wait(limit);
        return intake_state::idle;
    case path::source_state::finished:
        if (current_ + 1 == sources_.size())
            return intake_state::finished;
        ++current_;
        return intake_state::ready;
    case path::source_state::failed:
        break;
    }
    return intake_state::failed;
}

void capture_intake::interrupt() noexcept {
    for (const auto& each : sources_)
        each->interrupt();
}

std::vector<std::string> capture_intake::places() const {
    return device_.empty() ? std::vector<std::string>() : std::vector<std::string>{device_};
}

std::uint64_t capture_intake::lost() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& each : sources_)
        sum += each->lost();
    return sum;
}

std::uint64_t capture_intake::incomplete() const noexcept {
    return fragments_.given_up() + fragments_.pending();
}

error capture_intake::failure() const {
    return sources_[current_]->failure();
}

} // namespace flowtap::tools
