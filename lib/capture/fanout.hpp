// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>

#include <flowtap/core/result.hpp>

#include "device.hpp"

namespace flowtap::capture::detail {

/// The sockets of one device that share its packets, each conversation going to one of them. When
/// the device is replaced by another of the same name, those that join first make a new group. Any
/// thread.
class fanout_group {
public:
    /// Adds a socket that is bound to `device`. It gets its share at once, so its filter should let
    /// nothing through until it is wanted. It leaves by being closed. Errors: those of the system,
    /// with the name of the step.
    result<void> join(int socket, const device_facts& device);

private:
    std::mutex guard_;
    /// The group there is, and the device that it is for; 0 for none.
    int device_ = 0;
    std::uint16_t id_ = 0;
};

} // namespace flowtap::capture::detail
