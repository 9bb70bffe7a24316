// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <flowtap/core/descriptor.hpp>
#include <flowtap/core/opener.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/deliver/api.hpp>

namespace flowtap::deliver {

/// Tells when devices that copies leave through may have come, gone, or changed (rtnetlink(7)), for
/// the loop of a control side, which then calls `egress_bindings::fail` and `restore`. Any thread,
/// one at a time.
class FLOWTAP_DELIVER_API device_watch {
public:
    /// Needs no privilege. Errors: those of the system for netlink.
    static result<device_watch> open(opener& with = direct_opener());

    /// Readable when something has changed: look at every device that counts, after `read`.
    int number() const noexcept { return socket_.number(); }
    /// Takes what there is to read. Does not wait.
    void read() noexcept;

    /// Whether a device exists, is up and has a carrier.
    bool can_send(const std::string& device) const noexcept;

private:
    explicit device_watch(descriptor socket) noexcept;

    descriptor socket_;
};

} // namespace flowtap::deliver
