// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <sys/stat.h>

#include <pcap/pcap.h>

#include <flowtap/capture/error.hpp>
#include <flowtap/capture/pcap_file_source.hpp>

#include "packet_arena.hpp"
#include "pcap_handle.hpp"
#include "waiting_file.hpp"

namespace flowtap::capture {

namespace {

constexpr std::size_t arena_size = std::size_t{1} << 20;

struct file_closer {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using file_handle = std::unique_ptr<std::FILE, file_closer>;

bool is_regular(const descriptor& file) noexcept {
    struct stat about {};
    return ::fstat(file.number(), &about) == 0 && S_ISREG(about.st_mode);
}

/// Opens a stream on a file; on one that may keep its reader waiting, by way of `waiting`.
file_handle open_stream(descriptor file, std::unique_ptr<detail::waiting_file>& waiting) {
    if (!is_regular(file)) {
        waiting = detail::waiting_file::make(std::move(file));
        return file_handle(waiting ? waiting->stream() : nullptr);
    }
    file_handle opened(::fdopen(file.number(), "rb"));
    if (opened)
        file.release();
    return opened;
}

} // namespace

struct pcap_file_source::state {
    /// Reads on to the next record. False at the end, and when the file is damaged.
    bool advance() noexcept;
    /// Whether a record was read that no batch has got yet.
    bool has_record() const noexcept { return record != nullptr; }
    /// Whether the next record would have to be waited for.
    bool would_wait() const noexcept { return waiting && !waiting->has_octets(); }
    path::captured_packet describe(byte_view octets) const noexcept;

    std::string path;
    file_options options;
    std::unique_ptr<detail::waiting_file> waiting; ///< what `handle` reads, unless a regular file
    detail::pcap_handle handle;
    detail::packet_arena arena{arena_size};
    pcap_pkthdr* record = nullptr;
    const unsigned char* data = nullptr;
    path::source_state now = path::source_state::ready;
};

bool pcap_file_source::state::advance() noexcept {
    record = nullptr;
    if (now != path::source_state::ready)
        return false;
    const int outcome = pcap_next_ex(handle.get(), &record, &data);
    if (outcome == 1)
        return true;
    record = nullptr;
    // An interruption in the middle of a record is no damage.
    const bool ended = outcome == PCAP_ERROR_BREAK || (waiting && waiting->is_interrupted());
    now = ended ? path::source_state::finished : path::source_state::failed;
    return false;
}

path::captured_packet pcap_file_source::state::describe(byte_view octets) const noexcept {
    path::captured_packet made;
    made.frame = octets;
    made.wire_length = record->len;
    made.link = detail::link_of(handle.get());
    made.port = options.port;
    made.way = options.way;
    made.time = detail::time_of(*record);
    return made;
}

result<std::unique_ptr<pcap_file_source>>
pcap_file_source::open(const std::string& path, const file_options& options, opener& with) {
    auto opened = with.file_to_read(path);
    if (!opened)
        return fail(opened.error());
    std::unique_ptr<detail::waiting_file> waiting;
    file_handle file = open_stream(std::move(*opened), waiting);
    if (!file)
        return fail(error(std::error_code(errno, std::system_category()), path));
    std::array<char, PCAP_ERRBUF_SIZE> reason{};
    detail::pcap_handle handle(pcap_fopen_offline_with_tstamp_precision(
        file.get(), PCAP_TSTAMP_PRECISION_NANO, reason.data()));
    if (!handle)
        return fail(errc::not_a_capture, path + ": " + reason.data());
    file.release();
    if (!detail::is_supported(detail::link_of(handle.get())))
        return fail(errc::unsupported_link_type,
                    path + ": " + std::to_string(pcap_datalink(handle.get())));
    auto made = std::make_unique<state>();
    made->path = path;
    made->options = options;
    made->waiting = std::move(waiting);
    made->handle = std::move(handle);
    return std::unique_ptr<pcap_file_source>(new pcap_file_source(std::move(made)));
}

pcap_file_source::pcap_file_source(std::unique_ptr<state> with) noexcept
    : state_(std::move(with)) {}
pcap_file_source::~pcap_file_source() = default;

path::read_result pcap_file_source::read(std::span<path::captured_packet> packets) noexcept {
    state& s = *state_;
    s.arena.clear();
    path::read_result got;
    while (got.count < packets.size()) {
        // What a pipe has given is not held back for what it may give later.
        if (!s.has_record() && ((got.count != 0 && s.would_wait()) || !s.advance()))
            break;
        const byte_view octets = detail::octets_of(*s.record, s.data);
        if (octets.size() > s.arena.room()) {
            // A packet that is longer than the whole arena goes alone, from where libpcap has it;
            // any other one is the first of the next batch.
            if (got.count == 0 && octets.size() > arena_size) {
                packets[got.count++] = s.describe(octets);
                s.record = nullptr;
            }
            break;
        }
        packets[got.count++] = s.describe(s.arena.keep(octets));
        s.record = nullptr;
    }
    got.state = s.now;
    return got;
}

void pcap_file_source::wait(std::chrono::milliseconds) noexcept {}

void pcap_file_source::interrupt() noexcept {
    if (state_->waiting)
        state_->waiting->interrupt();
}

path::backpressure pcap_file_source::when_full() const noexcept {
    return path::backpressure::wait;
}

error pcap_file_source::failure() const {
    if (state_->now != path::source_state::failed)
        return {};
    return error(errc::damaged_capture, state_->path + ": " + pcap_geterr(state_->handle.get()));
}

packet::link_type pcap_file_source::link() const noexcept {
    return detail::link_of(state_->handle.get());
}

} // namespace flowtap::capture
