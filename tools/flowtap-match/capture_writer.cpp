// SPDX-License-Identifier: Apache-2.0
#include "capture_writer.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>

#include <flowtap/core/opener.hpp>

namespace flowtap::tools {

namespace {

/// libpcap's numbers for raw IP differ from that of capture files.
std::uint32_t file_link_type(packet::link_type link) {
    if (link == packet::link_type::raw_bsd || link == packet::link_type::raw_openbsd)
        link = packet::link_type::raw;
    return static_cast<std::uint32_t>(link);
}

} // namespace

result<capture_writer> capture_writer::create(const std::string& path, packet::link_type link) {
    auto opened = direct_opener().file_to_write(path);
    if (!opened)
        return fail(opened.error());
    capture_writer made;
    made.path_ = path;
    made.file_.reset(::fdopen(opened->number(), "wb"));
    if (!made.file_)
        return fail(error(std::error_code(errno, std::system_category()), path));
    opened->release();
    // https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html, section 4; version 2.4 in two
    // halves of one word, whichever comes first in this byte order.
    const std::array<std::uint16_t, 2> version{2, 4};
    const std::array<std::uint32_t, 4> rest{0, 0, 262'144, file_link_type(link)};
    const std::uint32_t magic = 0xA1B2'3C4D;
    made.put(&magic, sizeof magic);
    made.put(version.data(), sizeof version);
    made.put(rest.data(), sizeof rest);
    return made;
}

void capture_writer::put(const void* octets, std::size_t size) {
    if (failure_ == 0 && std::fwrite(octets, 1, size, file_.get()) != size)
        failure_ = errno;
}

void capture_writer::write(const path::captured_packet& packet) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(packet.time);
    const std::array<std::uint32_t, 4> header{
        static_cast<std::uint32_t>(seconds.time_since_epoch().count()),
        static_cast<std::uint32_t>((packet.time - seconds).count()),
        static_cast<std::uint32_t>(packet.frame.size()), packet.wire_length};
    put(header.data(), sizeof header);
    put(packet.frame.data(), packet.frame.size());
}

result<void> capture_writer::close() {
    if (std::fclose(file_.release()) != 0 && failure_ == 0)
        failure_ = errno;
    if (failure_ != 0)
        return fail(error(std::error_code(failure_, std::system_category()), path_));
    return {};
}

} // namespace flowtap::tools
