// SPDX-License-Identifier: Apache-2.0
#include "mtu_cache.hpp"

#include <utility>

#include "sockets.hpp"

namespace flowtap::deliver::detail {

result<mtu_cache> mtu_cache::open(const socket_options& options) {
    mtu_cache made;
    auto inet = options.via->udp_socket({});
    if (!inet)
        return fail(inet.error());
    if (auto bound = bind_to_device(*inet, options.device); !bound)
        return fail(bound.error());
    made.inet_ = std::move(*inet);
    auto inet6 = options.via->udp_socket({ip_address(family::inet6, {}), 0});
    if (inet6 && bind_to_device(*inet6, options.device))
        made.inet6_ = std::move(*inet6);
    return made;
}

mtu_cache::place& mtu_cache::place_of(const ip_address& to) noexcept {
    const std::uint64_t mixed = (to.bits().low ^ to.bits().high) * 0x9E37'79B9'7F4A'7C15ULL;
    return places_[mixed >> 56];
}

std::size_t mtu_cache::known(const ip_address& to) noexcept {
    place& its = place_of(to);
    if (its.mtu == 0 || its.to != to)
        return 0;
    if (++its.uses > uses_per_answer)
        its.mtu = 0;
    return its.mtu;
}

std::size_t mtu_cache::ask(const ip_address& to) noexcept {
    const int socket = (to.ip_family() == family::inet ? inet_ : inet6_).number();
    const std::size_t mtu = socket < 0 ? 0 : mtu_towards(socket, to);
    if (mtu != 0)
        place_of(to) = {to, mtu, 0};
    return mtu;
}

} // namespace flowtap::deliver::detail
