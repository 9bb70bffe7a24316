// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include <flowtap/core/descriptor.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/packet/view.hpp>

namespace flowtap::capture::detail {

/// What is known of a network device.
struct device_facts {
    int index = 0;
    /// How its frames begin on a raw packet socket; none where this is not known for certain.
    std::optional<packet::link_type> link;
    bool is_loopback = false;
    bool is_up = false;
};

/// Asks the system for a device by its name, with any socket. Errors: those of the system, with the
/// name; ENODEV when there is no such device.
result<device_facts> look_up(int socket, const std::string& device);

/// Says when some device of this network namespace comes, goes, or changes, so that one need not
/// ask again and again.
class device_news {
public:
    /// Nothing where the system does not tell.
    static device_news subscribe() noexcept;

    /// To be polled for reading; -1 when there is nothing to poll.
    int number() const noexcept { return socket_.number(); }
    /// Throws what has come away.
    void drain() const noexcept;

private:
    descriptor socket_;
};

} // namespace flowtap::capture::detail
