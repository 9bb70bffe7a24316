// SPDX-License-Identifier: Apache-2.0
#include "packet_ring.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>

namespace flowtap::capture::detail {

namespace {

/// Holds any super-packet that is not longer than 64 KiB several times, and most of those that are.
constexpr std::size_t block_size = std::size_t{256} << 10;
constexpr std::size_t smallest_ring = std::size_t{2} << 20;
/// The kernel wants to know a size of frames, which version 3 does not use but to check it.
constexpr std::size_t nominal_frame_size = 2048;
/// How long a block may wait to be full, in milliseconds: the delay of copies of sparse traffic. A
/// worker that is held up loses a block each time at most, so not less.
constexpr unsigned block_timeout = 2;

/// A record of the kernel's at `at`, without regard to alignment.
template <class Record>
Record load(const std::byte* at) noexcept {
    Record loaded;
    std::memcpy(&loaded, at, sizeof loaded);
    return loaded;
}

unexpected<error> system_failure(const char* step) {
    return fail(error(std::error_code(errno, std::system_category()), step));
}

} // namespace

packet_ring& packet_ring::operator=(packet_ring&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(blocks_, other.blocks_);
    std::swap(current_, other.current_);
    std::swap(held_, other.held_);
    std::swap(at_, other.at_);
    std::swap(left_, other.left_);
    return *this;
}

packet_ring::~packet_ring() {
    if (memory_ != nullptr)
        ::munmap(memory_, blocks_ * block_size);
}

result<packet_ring> packet_ring::make(int socket, std::size_t octets) {
    const int version = TPACKET_V3;
    const unsigned reserve = frame_headroom;
    if (::setsockopt(socket, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0)
        return system_failure("PACKET_VERSION");
    if (::setsockopt(socket, SOL_PACKET, PACKET_RESERVE, &reserve, sizeof reserve) != 0)
        return system_failure("PACKET_RESERVE");
    packet_ring made;
    std::size_t blocks = 0;
    if (auto done = request(socket, std::max(octets, smallest_ring), blocks); !done)
        return fail(done.error());
    void* const memory =
        ::mmap(nullptr, blocks * block_size, PROT_READ | PROT_WRITE, MAP_SHARED, socket, 0);
    if (memory == MAP_FAILED)
        return system_failure("mmap");
    made.memory_ = static_cast<std::byte*>(memory);
    made.blocks_ = blocks;
    return made;
}

result<void> packet_ring::request(int socket, std::size_t octets, std::size_t& blocks) {
    for (;; octets /= 2) {
        tpacket_req3 wanted{};
        wanted.tp_block_size = block_size;
        wanted.tp_block_nr = static_cast<unsigned>(octets / block_size);
        wanted.tp_frame_size = nominal_frame_size;
        wanted.tp_frame_nr = wanted.tp_block_nr * (block_size / nominal_frame_size);
        wanted.tp_retire_blk_tov = block_timeout;
        blocks = wanted.tp_block_nr;
        if (::setsockopt(socket, SOL_PACKET, PACKET_RX_RING, &wanted, sizeof wanted) == 0)
            return {};
        if (errno != ENOMEM || octets / 2 < smallest_ring)
            return system_failure("PACKET_RX_RING");
    }
}

std::byte* packet_ring::block(std::size_t index) const noexcept {
    return memory_ + index * block_size;
}

/// The word by which the kernel and we hand a block to each other.
std::uint32_t& packet_ring::status(std::size_t index) const noexcept {
    void* const at =
        block(index) + offsetof(tpacket_block_desc, hdr) + offsetof(tpacket_hdr_v1, block_status);
    return *static_cast<std::uint32_t*>(at);
}

bool packet_ring::open_block() noexcept {
    if (held_ == blocks_)
        return false;
    const std::uint32_t now =
        std::atomic_ref<std::uint32_t>(status(current_)).load(std::memory_order_acquire);
    if ((now & TP_STATUS_USER) == 0)
        return false;
    const auto about = load<tpacket_block_desc>(block(current_)).hdr.bh1;
    left_ = about.num_pkts;
    at_ = about.offset_to_first_pkt;
    return true;
}

void packet_ring::close_block() noexcept {
    at_ = 0;
    left_ = 0;
    ++held_;
    current_ = current_ + 1 == blocks_ ? 0 : current_ + 1;
}

bool packet_ring::next(ring_packet& out) noexcept {
    for (;;) {
        if (at_ == 0 && !open_block())
            return false;
        if (left_ != 0 && parse(out))
            return true;
        close_block();
    }
}

/// Reads the packet at hand and moves on. False when the block has no such packet.
bool packet_ring::parse(ring_packet& out) noexcept {
    constexpr std::size_t address_at = TPACKET_ALIGN(sizeof(tpacket3_hdr));
    const std::size_t room = block_size - std::min(at_, block_size);
    if (room < address_at + sizeof(sockaddr_ll))
        return false;
    std::byte* const record = block(current_) + at_;
    const auto about = load<tpacket3_hdr>(record);
    if (about.tp_mac < address_at + sizeof(sockaddr_ll) || about.tp_mac > room ||
        about.tp_snaplen > room - about.tp_mac)
        return false;
    --left_;
    at_ += about.tp_next_offset;
    __builtin_prefetch(record + about.tp_next_offset);

    out.frame = {record + about.tp_mac, about.tp_snaplen};
    out.wire_length = about.tp_len;
    // A frame of which nothing found room in the block has none either for what stands before it.
    out.offload = about.tp_snaplen == 0
                      ? offload_header{}
                      : load<offload_header>(record + about.tp_mac - offload_header_size);
    const auto type = load<std::uint8_t>(record + address_at + offsetof(sockaddr_ll, sll_pkttype));
    out.is_outgoing = type == PACKET_OUTGOING;
    out.has_tag = (about.tp_status & TP_STATUS_VLAN_VALID) != 0;
    out.tag = static_cast<std::uint16_t>(about.hv1.tp_vlan_tci);
    out.tag_protocol = (about.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0 ? about.hv1.tp_vlan_tpid
                                                                          : std::uint16_t{0x8100};
    out.time =
        wall_time(std::chrono::seconds(about.tp_sec) + std::chrono::nanoseconds(about.tp_nsec));
    out.is_hardware_time = (about.tp_status & TP_STATUS_TS_RAW_HARDWARE) != 0;
    return true;
}

void packet_ring::give_back(last_packet last) noexcept {
    if (last == last_packet::done && at_ != 0 && left_ == 0)
        close_block();
    for (; held_ != 0; --held_) {
        const std::size_t oldest = (current_ + blocks_ - held_) % blocks_;
        std::atomic_ref<std::uint32_t>(status(oldest))
            .store(TP_STATUS_KERNEL, std::memory_order_release);
    }
}

} // namespace flowtap::capture::detail
