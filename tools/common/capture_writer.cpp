// SPDX-License-Identifier: Apache-2.0
#include "capture_writer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <span>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>

#include <flowtap/core/opener.hpp>

namespace flowtap::tools {

namespace {

constexpr std::size_t buffer_size = std::size_t{64} << 10;

/// libpcap's numbers for raw IP differ from that of capture files.
std::uint32_t file_link_type(packet::link_type link) {
    if (link == packet::link_type::raw_bsd || link == packet::link_type::raw_openbsd)
        link = packet::link_type::raw;
    return static_cast<std::uint32_t>(link);
}

iovec part(byte_view octets) {
    // writev(2) only reads, and has one type for both ways.
    return {const_cast<std::byte*>(octets.data()), octets.size()};
}

} // namespace

capture_writer::capture_writer(descriptor file, const std::string& path)
    : file_(std::move(file)), path_(path),
      buffer_(std::make_unique_for_overwrite<std::byte[]>(buffer_size)) {
    struct stat status {};
    is_regular_ = ::fstat(file_.number(), &status) == 0 && S_ISREG(status.st_mode);
}

result<capture_writer> capture_writer::create(const std::string& path, packet::link_type link) {
    auto opened = direct_opener().file_to_write(path);
    if (!opened)
        return fail(opened.error());
    return begin(std::move(*opened), path, link);
}

result<capture_writer> capture_writer::begin(descriptor file, const std::string& path,
                                             packet::link_type link) {
    capture_writer made(std::move(file), path);
    // Standard output may be a file that has something in it already.
    made.end_ = made.is_regular_ ? ::lseek(made.file_.number(), 0, SEEK_CUR) : 0;
    // https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html, section 4; version 2.4 in two
    // halves of one word, whichever comes first in this byte order.
    const std::array<std::uint16_t, 2> version{2, 4};
    const std::array<std::uint32_t, 4> rest{0, 0, 262'144, file_link_type(link)};
    const std::uint32_t magic = 0xA1B2'3C4D;
    made.store(std::as_bytes(std::span(&magic, 1)));
    made.store(std::as_bytes(std::span(version)));
    made.store(std::as_bytes(std::span(rest)));
    made.flush();
    if (made.failure_ != 0)
        return fail(made.failure());
    return made;
}

capture_writer capture_writer::resume(descriptor file, const std::string& path) {
    capture_writer made(std::move(file), path);
    made.end_ = ::lseek(made.file_.number(), 0, SEEK_END);
    return made;
}

void capture_writer::store(byte_view octets) {
    std::memcpy(buffer_.get() + used_, octets.data(), octets.size());
    used_ += octets.size();
}

void capture_writer::write(byte_view packet, std::uint32_t wire_length, wall_time time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const std::array<std::uint32_t, 4> header{
        static_cast<std::uint32_t>(seconds.time_since_epoch().count()),
        static_cast<std::uint32_t>((time - seconds).count()),
        static_cast<std::uint32_t>(packet.size()), wire_length};
    const byte_view record = std::as_bytes(std::span(header));
    if (buffer_size - used_ < record.size() + packet.size())
        flush();
    if (buffer_size < record.size() + packet.size()) {
        if (!put(record, packet))
            ++unwritten_;
        return;
    }
    store(record);
    store(packet);
    ++packets_;
}

void capture_writer::flush() {
    if (used_ != 0 && !put({buffer_.get(), used_}, {}))
        unwritten_ += packets_;
    used_ = 0;
    packets_ = 0;
}

/// Writes two pieces that end with a whole packet. False, with nothing of them in a regular file,
/// if that failed.
bool capture_writer::put(byte_view first, byte_view second) {
    // What broke off in the middle of a packet has no place to go on from.
    if (failure_ != 0 && !is_regular_)
        return false;
    const std::size_t size = first.size() + second.size();
    while (!first.empty() || !second.empty()) {
        const std::array<iovec, 2> parts{part(first), part(second)};
        const ssize_t written = ::writev(file_.number(), parts.data(), 2);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            failure_ = written < 0 ? errno : EIO;
            if (is_regular_ && ::ftruncate(file_.number(), end_) == 0)
                ::lseek(file_.number(), end_, SEEK_SET);
            return false;
        }
        const auto taken = static_cast<std::size_t>(written);
        const std::size_t of_first = std::min(taken, first.size());
        first = first.subspan(of_first);
        second = second.subspan(taken - of_first);
    }
    end_ += static_cast<off_t>(size);
    return true;
}

error capture_writer::failure() const {
    if (failure_ == 0)
        return {};
    return error(std::error_code(failure_, std::system_category()), path_);
}

result<void> capture_writer::close() {
    flush();
    // What a file system reports only now is lost as well.
    if (file_ && ::close(file_.release()) != 0 && failure_ == 0)
        failure_ = errno;
    if (failure_ != 0)
        return fail(failure());
    return {};
}

} // namespace flowtap::tools
