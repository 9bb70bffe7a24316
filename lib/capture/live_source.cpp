// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdint>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <pcap/pcap.h>

#include <flowtap/capture/error.hpp>
#include <flowtap/capture/live_source.hpp>
#include <flowtap/core/descriptor.hpp>

#include "capture_filter.hpp"
#include "packet_arena.hpp"
#include "pcap_handle.hpp"

namespace flowtap::capture {

namespace {

/// The longest frame that a kernel hands over, merged packets included.
constexpr std::size_t longest_frame = std::size_t{256} << 10;
/// libpcap puts a VLAN tag back into a frame after it was cut to that length.
constexpr std::size_t longest_record = longest_frame + 64;
constexpr std::size_t arena_size = std::size_t{4} << 20;
constexpr std::size_t default_buffer = std::size_t{8} << 20;
/// How long a block may wait to be full, in milliseconds: the delay of copies of sparse traffic.
constexpr int block_timeout = 2;
/// How often a busy source asks the kernel what was lost.
constexpr unsigned reads_per_statistics = 1024;

/// One direction of a device.
struct observed_way {
    detail::pcap_handle handle;
    detail::socket_filter filter; ///< behind the handle, so that it goes first
    direction way = direction::ingress;
    std::uint64_t lost = 0;
};

/// What a callback of libpcap works on.
struct batch {
    std::span<path::captured_packet> packets;
    std::size_t count = 0;
    detail::packet_arena* arena = nullptr;
    path::captured_packet common; ///< what all packets of one handle share
};

void take_packet(unsigned char* user, const pcap_pkthdr* record, const unsigned char* data) {
    auto& into = *reinterpret_cast<batch*>(user);
    path::captured_packet& made = into.packets[into.count++];
    made = into.common;
    made.frame = into.arena->keep(detail::octets_of(*record, data));
    made.wire_length = record->len;
    made.time = detail::time_of(*record);
}

unexpected<error> device_failure(errc code, const std::string& device, const char* reason) {
    return fail(code, device + ": " + reason);
}

result<detail::pcap_handle> open_handle(const std::string& device, const live_options& options) {
    std::array<char, PCAP_ERRBUF_SIZE> reason{};
    detail::pcap_handle handle(pcap_create(device.c_str(), reason.data()));
    if (!handle)
        return device_failure(errc::cannot_open_device, device, reason.data());
    pcap_set_snaplen(handle.get(), static_cast<int>(longest_frame));
    pcap_set_promisc(handle.get(), options.mode == reception::promiscuous ? 1 : 0);
    // In immediate mode libpcap sets aside room for the longest frame for every packet, and so
    // holds a few dozen.
    pcap_set_immediate_mode(handle.get(), 0);
    pcap_set_timeout(handle.get(), block_timeout);
    pcap_set_buffer_size(handle.get(),
                         static_cast<int>(options.buffer != 0 ? options.buffer : default_buffer));
    pcap_set_tstamp_precision(handle.get(), PCAP_TSTAMP_PRECISION_NANO);
    if (const int outcome = pcap_activate(handle.get()); outcome < 0) {
        const char* detail = pcap_geterr(handle.get());
        return device_failure(errc::cannot_open_device, device,
                              *detail != '\0' ? detail : pcap_statustostr(outcome));
    }
    if (pcap_setnonblock(handle.get(), 1, reason.data()) != 0)
        return device_failure(errc::cannot_open_device, device, reason.data());
    if (!detail::is_supported(detail::link_of(handle.get())))
        return device_failure(errc::unsupported_link_type, device,
                              std::to_string(pcap_datalink(handle.get())).c_str());
    return handle;
}

result<observed_way> open_way(const std::string& device, const live_options& options,
                              direction way) {
    auto handle = open_handle(device, options);
    if (!handle)
        return fail(handle.error());
    detail::capture_filter filter;
    filter.text = options.filter;
    filter.excluded_mark = options.excluded_mark;
    filter.way = way == direction::ingress ? PCAP_D_IN : PCAP_D_OUT;
    filter.in_kernel = options.in_kernel;
    auto applied = detail::apply(handle->get(), filter);
    if (!applied)
        return fail(applied.error());
    observed_way made;
    made.handle = std::move(*handle);
    made.filter = std::move(*applied);
    made.way = way;
    return made;
}

} // namespace

struct live_source::state {
    /// Reads what one direction has, as far as there is room.
    void read_from(observed_way& from, batch& into) noexcept;
    void update_lost() noexcept;

    std::string device;
    port_id port;
    std::vector<observed_way> ways;
    std::size_t first = 0; ///< the direction that is read first, in turn
    descriptor wake;
    std::vector<pollfd> waiting;
    detail::packet_arena arena{arena_size};
    unsigned reads = 0;
    pcap_t* failed = nullptr;
};

void live_source::state::read_from(observed_way& from, batch& into) noexcept {
    into.common.link = detail::link_of(from.handle.get());
    into.common.port = port;
    into.common.way = from.way;
    for (;;) {
        const std::size_t fitting =
            std::min(into.packets.size() - into.count, arena.room() / longest_record);
        if (fitting == 0)
            return;
        const std::size_t before = into.count;
        const int outcome = pcap_dispatch(from.handle.get(), static_cast<int>(fitting), take_packet,
                                          reinterpret_cast<unsigned char*>(&into));
        if (outcome < 0 && outcome != PCAP_ERROR_BREAK)
            failed = from.handle.get();
        if (outcome < 0 || into.count == before)
            return;
    }
}

void live_source::state::update_lost() noexcept {
    reads = 0;
    for (observed_way& each : ways) {
        pcap_stat counts{};
        if (pcap_stats(each.handle.get(), &counts) != 0)
            continue;
        // libpcap counts in 32 bits: the difference is right across an overflow.
        const auto before = static_cast<std::uint32_t>(each.lost);
        each.lost += static_cast<std::uint32_t>(counts.ps_drop - before);
    }
}

result<std::unique_ptr<live_source>> live_source::open(const std::string& device,
                                                       const live_options& options) {
    auto made = std::make_unique<state>();
    made->device = device;
    made->port = options.port;
    for (const direction way : {direction::ingress, direction::egress}) {
        const observe only = way == direction::ingress ? observe::ingress : observe::egress;
        if (options.which != observe::both && options.which != only)
            continue;
        auto opened = open_way(device, options, way);
        if (!opened)
            return fail(opened.error());
        made->waiting.push_back({pcap_get_selectable_fd(opened->handle.get()), POLLIN, 0});
        made->ways.push_back(std::move(*opened));
    }
    made->wake = descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!made->wake)
        return fail(error(std::error_code(errno, std::system_category()), device));
    made->waiting.push_back({made->wake.number(), POLLIN, 0});
    return std::unique_ptr<live_source>(new live_source(std::move(made)));
}

live_source::live_source(std::unique_ptr<state> with) noexcept : state_(std::move(with)) {}
live_source::~live_source() = default;

path::read_result live_source::read(std::span<path::captured_packet> packets) noexcept {
    state& s = *state_;
    s.arena.clear();
    batch into;
    into.packets = packets;
    into.arena = &s.arena;
    for (std::size_t i = 0; i < s.ways.size(); ++i)
        s.read_from(s.ways[(s.first + i) % s.ways.size()], into);
    s.first = (s.first + 1) % s.ways.size();
    // Before the caller goes to sleep, so that the count is right when all is quiet.
    if (into.count == 0 || ++s.reads >= reads_per_statistics)
        s.update_lost();
    if (s.failed != nullptr)
        return {into.count, path::source_state::failed};
    return {into.count, into.count == 0 ? path::source_state::idle : path::source_state::ready};
}

void live_source::wait(std::chrono::milliseconds limit) noexcept {
    state& s = *state_;
    if (::poll(s.waiting.data(), s.waiting.size(), static_cast<int>(limit.count())) <= 0)
        return;
    if ((s.waiting.back().revents & POLLIN) != 0) {
        std::uint64_t count = 0;
        [[maybe_unused]] const auto taken = ::read(s.wake.number(), &count, sizeof count);
    }
}

void live_source::interrupt() noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto put = ::write(state_->wake.number(), &one, sizeof one);
}

path::backpressure live_source::when_full() const noexcept {
    return path::backpressure::drop;
}

std::uint64_t live_source::lost() const noexcept {
    std::uint64_t sum = 0;
    for (const observed_way& each : state_->ways)
        sum += each.lost;
    return sum;
}

error live_source::failure() const {
    if (state_->failed == nullptr)
        return {};
    return error(errc::device_failed, state_->device + ": " + pcap_geterr(state_->failed));
}

packet::link_type live_source::link() const noexcept {
    return detail::link_of(state_->ways.front().handle.get());
}

} // namespace flowtap::capture
