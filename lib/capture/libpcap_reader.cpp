// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <sys/types.h>

#include <pcap/pcap.h>

#include <flowtap/capture/error.hpp>

#include "capture_reader.hpp"
#include "packet_arena.hpp"
#include "pcap_handle.hpp"

namespace flowtap::capture::detail {

namespace {

constexpr std::size_t arena_size = std::size_t{1} << 20;
constexpr std::size_t buffer_size = std::size_t{64} << 10;

/// A stream as libpcap reads it: as a `FILE`. What is read ahead is kept here, where it can be
/// asked for.
class stream_file {
public:
    explicit stream_file(std::unique_ptr<peeked_stream> from) noexcept : from_(std::move(from)) {}

    /// The caller closes it, before this object goes. Null without memory.
    std::FILE* open() {
        cookie_io_functions_t functions{};
        functions.read = &stream_file::read_for;
        std::FILE* made = ::fopencookie(this, "rb", functions);
        if (made != nullptr)
            std::setvbuf(made, nullptr, _IONBF, 0);
        return made;
    }

    /// Whether reading gives something, if only the end, without waiting.
    bool has_octets() noexcept {
        return begin_ != end_ || refill(patience::none) != stream_state::would_wait;
    }
    /// `ready`, or how the stream has ended.
    stream_state state() const noexcept { return state_; }
    const octet_stream& octets() const noexcept { return *from_; }

private:
    static ssize_t read_for(void* self, char* into, std::size_t room) {
        return static_cast<stream_file*>(self)->read(into, room);
    }

    /// An interruption looks like the end of the file.
    ssize_t read(char* into, std::size_t room) noexcept {
        if (begin_ == end_ && refill(patience::wait) != stream_state::ready) {
            errno = EIO;
            return state_ == stream_state::failed ? -1 : 0;
        }
        const std::size_t count = std::min(room, end_ - begin_);
        std::memcpy(into, &buffer_[begin_], count);
        begin_ += count;
        return static_cast<ssize_t>(count);
    }

    stream_state refill(patience how) noexcept {
        const stream_read got = from_->read(buffer_, how);
        begin_ = 0;
        end_ = got.count;
        if (got.state != stream_state::would_wait)
            state_ = got.state;
        return got.state;
    }

    std::unique_ptr<peeked_stream> from_;
    std::array<std::byte, buffer_size> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    stream_state state_ = stream_state::ready;
};

class libpcap_reader final : public capture_reader {
public:
    libpcap_reader(std::unique_ptr<stream_file> file, pcap_handle handle, std::string path,
                   const file_options& options)
        : path_(std::move(path)), options_(options), file_(std::move(file)),
          handle_(std::move(handle)) {}

    path::read_result read(std::span<path::captured_packet> packets) noexcept override;
    error failure() const override;
    packet::link_type link() const noexcept override { return link_of(handle_.get()); }

private:
    bool advance() noexcept;
    path::captured_packet describe(byte_view octets) const noexcept;

    std::string path_;
    file_options options_;
    std::unique_ptr<stream_file> file_; ///< what `handle_` reads
    pcap_handle handle_;
    packet_arena arena_{arena_size};
    /// The record that was read and that no batch has got yet, or null.
    pcap_pkthdr* record_ = nullptr;
    const unsigned char* data_ = nullptr;
    path::source_state now_ = path::source_state::ready;
};

/// Reads on to the next record. False at the end, and when the file is damaged.
bool libpcap_reader::advance() noexcept {
    record_ = nullptr;
    if (now_ != path::source_state::ready)
        return false;
    const int outcome = pcap_next_ex(handle_.get(), &record_, &data_);
    if (outcome == 1)
        return true;
    record_ = nullptr;
    // An interruption in the middle of a record is no damage. Without its error, a stream that
    // failed between two records looks like the end.
    const bool ended = (outcome == PCAP_ERROR_BREAK && file_->state() != stream_state::failed) ||
                       file_->state() == stream_state::interrupted;
    now_ = ended ? path::source_state::finished : path::source_state::failed;
    return false;
}

path::captured_packet libpcap_reader::describe(byte_view octets) const noexcept {
    path::captured_packet made;
    made.frame = octets;
    made.wire_length = record_->len;
    made.link = link();
    made.port = options_.port;
    made.way = options_.way;
    // libpcap takes the seconds of pcap files for a number with a sign.
    pcap_pkthdr unsigned_time = *record_;
    if (record_->ts.tv_sec < 0)
        unsigned_time.ts.tv_sec = static_cast<std::uint32_t>(record_->ts.tv_sec);
    made.time = time_of(unsigned_time);
    return made;
}

path::read_result libpcap_reader::read(std::span<path::captured_packet> packets) noexcept {
    arena_.clear();
    std::size_t count = 0;
    while (count < packets.size()) {
        // What a pipe has given is not held back for what it may give later.
        if (record_ == nullptr && ((count != 0 && !file_->has_octets()) || !advance()))
            break;
        const byte_view octets = octets_of(*record_, data_);
        if (octets.size() > arena_.room()) {
            // A packet that is longer than the whole arena goes alone, from where libpcap has it;
            // any other one is the first of the next batch.
            if (count == 0 && octets.size() > arena_size) {
                packets[count++] = describe(octets);
                record_ = nullptr;
            }
            break;
        }
        packets[count++] = describe(arena_.keep(octets));
        record_ = nullptr;
    }
    return {count, now_};
}

error libpcap_reader::failure() const {
    if (now_ != path::source_state::failed)
        return {};
    if (file_->state() == stream_state::failed)
        return file_->octets().failure();
    return error(errc::damaged_capture, path_ + ": " + pcap_geterr(handle_.get()));
}

} // namespace

result<std::unique_ptr<capture_reader>> make_libpcap_reader(reader_input from) {
    auto file = std::make_unique<stream_file>(std::move(from.octets));
    std::FILE* const opened = file->open();
    if (opened == nullptr)
        return fail(error(std::error_code(errno, std::system_category()), from.path));
    std::array<char, PCAP_ERRBUF_SIZE> reason{};
    pcap_handle handle(pcap_fopen_offline_with_tstamp_precision(opened, PCAP_TSTAMP_PRECISION_NANO,
                                                                reason.data()));
    if (!handle) {
        std::fclose(opened);
        if (file->state() == stream_state::failed)
            return fail(file->octets().failure());
        return fail(errc::not_a_capture, from.path + ": " + reason.data());
    }
    return std::unique_ptr<capture_reader>(std::make_unique<libpcap_reader>(
        std::move(file), std::move(handle), std::move(from.path), from.options));
}

} // namespace flowtap::capture::detail
