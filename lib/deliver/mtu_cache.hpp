// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>

#include <flowtap/core/address.hpp>
#include <flowtap/core/descriptor.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/deliver/socket_options.hpp>

namespace flowtap::deliver::detail {

/// How long a packet to a destination may be, as the system says: asked once a destination, and
/// again after a number of uses or when it turned out wrong. Destinations that share a place in the
/// cache push each other out, which costs time only.
class mtu_cache {
public:
    /// Errors: those of `opener`, but for a family that the system lacks.
    static result<mtu_cache> open(const socket_options& options);

    /// What is known; 0 if nothing is.
    std::size_t known(const ip_address& to) noexcept;
    /// Asks the system. 0 if it does not say.
    std::size_t ask(const ip_address& to) noexcept;

private:
    static constexpr std::size_t places = 256;
    static constexpr unsigned uses_per_answer = 4096;

    struct place {
        ip_address to;
        std::size_t mtu = 0;
        unsigned uses = 0;
    };

    place& place_of(const ip_address& to) noexcept;

    std::array<place, places> places_{};
    descriptor inet_;
    descriptor inet6_;
};

} // namespace flowtap::deliver::detail
