// SPDX-License-Identifier: Apache-2.0
#include "plain_run.hpp"

#include <algorithm>
#include <cstring>

namespace flowtap::path::detail {

plain_run find_run(std::span<const captured_packet> some, filter::plain_headers& headers) noexcept {
    using filter::plain_headers;
    plain_run run;
    some = some.first(std::min(some.size(), plain_headers::most));
    std::byte* to = headers.octets.data();
    for (const captured_packet& captured : some) {
        const byte_view found = packet::find_plain(captured.link, captured.frame);
        if (found.empty() || captured.port != some.front().port)
            break;
        // What plain packets have at least.
        static_assert(plain_headers::first + plain_headers::size == 24);
        std::memcpy(to, found.data() + plain_headers::first, plain_headers::size);
        to += plain_headers::size;
        run.octets += captured.wire_length;
    }
    run.count = static_cast<std::size_t>(to - headers.octets.data()) / plain_headers::size;
    return run;
}

std::size_t put_keys(const captured_packet* run, std::uint64_t which, packet::packet_place place,
                     packet_key* keys, const captured_packet** origins) noexcept {
    std::size_t count = 0;
    for (; which != 0; which &= which - 1) {
        const captured_packet& captured = run[__builtin_ctzll(which)];
        place.way = captured.way;
        packet::put_plain_key(packet::plain_packet(captured.link, captured.frame), place,
                              keys[count]);
        origins[count++] = &captured;
    }
    return count;
}

} // namespace flowtap::path::detail
