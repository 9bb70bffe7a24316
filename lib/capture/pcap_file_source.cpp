// SPDX-License-Identifier: Apache-2.0
#include <flowtap/capture/pcap_file_source.hpp>

#include <utility>

#include <flowtap/capture/error.hpp>

#include "capture_reader.hpp"
#include "decoder.hpp"
#include "decompressing_stream.hpp"
#include "file_stream.hpp"
#include "pcap_handle.hpp"

namespace flowtap::capture {

namespace {

using detail::compression;
using detail::peeked_stream;
using detail::stream_state;

/// The octets of a capture, which may be compressed in those of the file.
result<std::unique_ptr<peeked_stream>> unpack(std::unique_ptr<peeked_stream> octets,
                                              const std::string& path) {
    const compression kind = detail::compression_of(octets->peek(detail::compression_mark));
    if (kind == compression::none)
        return octets;
    if (!detail::can_decode(kind))
        return fail(errc::unsupported_compression, path + ": " + std::string(name_of(kind)));
    auto decoder = detail::make_decoder(kind);
    if (!decoder)
        return fail(error(std::make_error_code(std::errc::not_enough_memory), path));
    return std::make_unique<peeked_stream>(std::make_unique<detail::decompressing_stream>(
        std::move(octets), std::move(decoder), kind, path));
}

result<std::unique_ptr<detail::capture_reader>> make_reader(detail::reader_input from) {
    from.octets->peek(detail::pcap_header_size);
    if (from.octets->state() == stream_state::failed)
        return fail(from.octets->failure());
    if (auto made = make_block_reader(from))
        return made;
    return make_libpcap_reader(std::move(from));
}

} // namespace

struct pcap_file_source::state {
    std::unique_ptr<detail::capture_reader> reader;
    detail::file_stream* file = nullptr; ///< what `reader` reads in the end
};

result<std::unique_ptr<pcap_file_source>>
pcap_file_source::open(const std::string& path, const file_options& options, opener& with) {
    auto opened = with.file_to_read(path);
    if (!opened)
        return fail(opened.error());
    auto file = detail::file_stream::make(std::move(*opened), path);
    if (!file)
        return fail(file.error());
    auto made = std::make_unique<state>();
    made->file = file->get();
    auto octets = unpack(std::make_unique<peeked_stream>(std::move(*file)), path);
    if (!octets)
        return fail(octets.error());
    auto reader = make_reader({std::move(*octets), path, options});
    if (!reader)
        return fail(reader.error());
    made->reader = std::move(*reader);
    const packet::link_type link = made->reader->link();
    if (!detail::is_supported(link))
        return fail(errc::unsupported_link_type,
                    path + ": " + std::to_string(static_cast<unsigned>(link)));
    return std::unique_ptr<pcap_file_source>(new pcap_file_source(std::move(made)));
}

pcap_file_source::pcap_file_source(std::unique_ptr<state> with) noexcept
    : state_(std::move(with)) {}
pcap_file_source::~pcap_file_source() = default;

path::read_result pcap_file_source::read(std::span<path::captured_packet> packets) noexcept {
    return state_->reader->read(packets);
}

bool pcap_file_source::may_wait() const noexcept {
    return !state_->file->size();
}

void pcap_file_source::wait(std::chrono::milliseconds) noexcept {}

void pcap_file_source::interrupt() noexcept {
    state_->file->interrupt();
}

path::backpressure pcap_file_source::when_full() const noexcept {
    return path::backpressure::wait;
}

error pcap_file_source::failure() const {
    return state_->reader->failure();
}

packet::link_type pcap_file_source::link() const noexcept {
    return state_->reader->link();
}

file_position pcap_file_source::position() const noexcept {
    return {state_->file->position(), state_->file->size()};
}

} // namespace flowtap::capture
