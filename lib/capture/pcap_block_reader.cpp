// SPDX-License-Identifier: Apache-2.0
#include "pcap_block_reader.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <utility>

#include <flowtap/capture/error.hpp>

namespace flowtap::capture::detail {

namespace {

constexpr std::size_t most_block = std::size_t{64} << 20;
constexpr std::size_t cache_line = 64;
/// How far ahead of a record octets are fetched into the nearest cache.
constexpr std::size_t prefetched = 8 * cache_line;

} // namespace

pcap_block_reader::pcap_block_reader(reader_input from, const pcap_layout& layout)
    : from_(std::move(from)), layout_(layout),
      block_(std::clamp<std::size_t>(from_.options.block, 1, most_block)),
      buffer_(static_cast<std::byte*>(::operator new (front + block_, std::align_val_t{page}))) {
    common_.link = layout.link;
    common_.port = from_.options.port;
    common_.way = from_.options.way;
}

/// Hands over the whole records that are in the buffer, as far as there is room for them.
template <bool Swapped>
std::size_t pcap_block_reader::take_records(std::span<path::captured_packet> packets) noexcept {
    const std::byte* const begin = buffer_.get() + begin_;
    const std::byte* const end = buffer_.get() + end_;
    const std::byte* at = begin;
    path::captured_packet* made = packets.data();
    path::captured_packet* const last = made + packets.size();
    const std::int64_t unit = layout_.nanoseconds_per_unit;
    const std::uint32_t snap_length = layout_.snap_length;
    const packet::link_type link = common_.link;
    const port_id port = common_.port;
    const direction way = common_.way;
    while (made != last && end - at >= std::ptrdiff_t{pcap_record::size}) {
        // Each record has to be read to find the next: what is not near by then is waited for.
        __builtin_prefetch(at + prefetched);
        __builtin_prefetch(at + prefetched + cache_line);
        const pcap_record record = read_pcap_record<Swapped>(at);
        if (record.captured > longest_pcap_packet) {
            fail_for(damage::too_long);
            break;
        }
        const std::byte* const octets = at + pcap_record::size;
        if (end - octets < std::ptrdiff_t{record.captured})
            break;
        // Member by member, so that what does not change stays in registers.
        made->frame = {octets, std::min(record.captured, snap_length)};
        made->wire_length = record.length;
        made->link = link;
        made->port = port;
        made->way = way;
        made->time = wall_time(std::chrono::nanoseconds(
            std::int64_t{record.seconds} * 1'000'000'000 + std::int64_t{record.fraction} * unit));
        ++made;
        at = octets + record.captured;
    }
    const auto taken = static_cast<std::size_t>(at - begin);
    const auto count = static_cast<std::size_t>(made - packets.data());
    offset_ += taken;
    begin_ += taken;
    records_ += count;
    return count;
}

path::read_result pcap_block_reader::read(std::span<path::captured_packet> packets) noexcept {
    std::size_t count = 0;
    do {
        const auto rest = packets.subspan(count);
        count += layout_.swapped ? take_records<true>(rest) : take_records<false>(rest);
        // What is there is not held back for what may come.
    } while (count < packets.size() && now_ == path::source_state::ready &&
             read_on(count == 0 ? patience::wait : patience::none));
    return {count, now_};
}

/// Reads more octets behind those that are there. Where packets were handed over already, what is
/// in the buffer stays where it is. False when there are none for now.
bool pcap_block_reader::read_on(patience how) noexcept {
    if (how == patience::wait)
        move_rest();
    const std::size_t room = front + block_ - end_;
    if (room == 0)
        return false;
    const stream_read got = from_.octets->read({buffer_.get() + end_, room}, how);
    switch (got.state) {
    case stream_state::ready:
        end_ += got.count;
        return true;
    case stream_state::would_wait:
        return false;
    case stream_state::ended:
        end();
        return false;
    case stream_state::interrupted:
        // In the middle of a record, too: that is no damage.
        now_ = path::source_state::finished;
        return false;
    case stream_state::failed:
        fail_for(damage::stream);
        return false;
    }
    return false;
}

/// Moves the beginning of a record to the end of the room in front of the block.
void pcap_block_reader::move_rest() noexcept {
    const std::size_t rest = end_ - begin_;
    std::memmove(buffer_.get() + front - rest, buffer_.get() + begin_, rest);
    begin_ = front - rest;
    end_ = front;
}

void pcap_block_reader::end() noexcept {
    const std::size_t rest = end_ - begin_;
    if (rest == 0)
        now_ = path::source_state::finished;
    else
        fail_for(rest < pcap_record::size ? damage::cut_header : damage::cut_packet);
}

void pcap_block_reader::fail_for(damage what) noexcept {
    damage_ = what;
    now_ = path::source_state::failed;
}

/// The record that could not be handed over.
std::string pcap_block_reader::place() const {
    return from_.path + ": record " + std::to_string(records_ + 1) + ", at octet " +
           std::to_string(offset_) + ", ";
}

error pcap_block_reader::failure() const {
    if (damage_ == damage::none)
        return {};
    if (damage_ == damage::stream) {
        error reason = from_.octets->failure();
        reason.subject += " (after record " + std::to_string(records_) + ")";
        return reason;
    }
    const std::size_t rest = end_ - begin_;
    if (damage_ == damage::cut_header)
        return error(errc::damaged_capture, place() + "ends after " + std::to_string(rest) +
                                                " of the " + std::to_string(pcap_record::size) +
                                                " octets of its header");
    // The header of the record is still in the buffer.
    const std::byte* at = buffer_.get() + begin_;
    const pcap_record record =
        layout_.swapped ? read_pcap_record<true>(at) : read_pcap_record<false>(at);
    const std::string captured = std::to_string(record.captured);
    if (damage_ == damage::too_long)
        return error(errc::damaged_capture, place() + "claims " + captured +
                                                " octets, more than the most there can be (" +
                                                std::to_string(longest_pcap_packet) + ")");
    return error(errc::damaged_capture, place() + "ends after " +
                                            std::to_string(rest - pcap_record::size) + " of its " +
                                            captured + " octets");
}

std::unique_ptr<capture_reader> make_block_reader(reader_input& from) {
    const auto layout = read_pcap_header(from.octets->peek(pcap_header_size));
    if (!layout)
        return nullptr;
    std::array<std::byte, pcap_header_size> header{};
    std::size_t taken = 0;
    while (taken < header.size())
        taken += from.octets->read(std::span(header).subspan(taken), patience::wait).count;
    return std::make_unique<pcap_block_reader>(std::move(from), *layout);
}

} // namespace flowtap::capture::detail
