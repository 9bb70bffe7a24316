// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>

#include <flowtap/core/address.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/transport/ssh_server.hpp>

namespace flowtap::transport {

/// What is remembered of where connections come from: how many of a source are not logged in, and
/// how many of its attempts were refused lately. A source is an IPv4 address, or the /64 of an IPv6
/// one, of which one host can have any address.
///
/// Refused attempts are counted by one moment for each source: the one at which all would be
/// forgotten. Every attempt puts that off by its share of `source_time`, and time does the rest.
/// Bounded: entries for the connections that there are, and for `most_failing` other sources; when
/// there are more, those with the fewest refused attempts are forgotten.
class source_table {
public:
    static constexpr std::size_t most_failing = 1024;

    explicit source_table(const login_limits& with) : limits_(with) {}

    void limit(const login_limits& with) { limits_ = with; }

    /// Whether another connection from there is let in.
    bool admits(const ip_address& from, steady_time now) const;

    /// A connection that is not logged in began, and is logged in or gone.
    void begin(const ip_address& from);
    void end(const ip_address& from);

    /// An attempt was refused.
    void fail(const ip_address& from, steady_time now);

    std::size_t size() const noexcept { return sources_.size(); }

private:
    struct entry {
        std::size_t waiting = 0;
        /// When no refused attempt is remembered any more; long ago for none.
        steady_time clear_at{};
    };
    using entries = std::map<ip_address, entry>;

    /// Makes room among sources without connections.
    void forget_some(steady_time now);

    login_limits limits_;
    entries sources_;
    /// Those without connections.
    std::size_t failing_ = 0;
};

} // namespace flowtap::transport
