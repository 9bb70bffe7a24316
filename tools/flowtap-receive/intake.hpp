// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <flowtap/core/result.hpp>

#include "collector.hpp"

namespace flowtap::tools {

enum class intake_state : std::uint8_t {
    ready,    ///< there may be more
    idle,     ///< nothing came
    finished, ///< nothing more, ever
    failed,   ///< broken off: `failure` says why
};

/// Where copies come from. Used by one thread, but for `interrupt`.
class intake {
public:
    intake() = default;
    intake(const intake&) = delete;
    intake& operator=(const intake&) = delete;
    virtual ~intake() = default;

    /// Hands some of what has come to `to`; waits for the first of it, at most `limit`, or for as
    /// long as it likes when that is a pipe.
    virtual intake_state receive(collector& to, std::chrono::milliseconds limit) = 0;
    /// Nothing more is wanted but what has come already and waits in the system.
    virtual void finish(collector& to) = 0;
    /// Ends a wait without a limit, and the intake. Any thread.
    virtual void interrupt() noexcept = 0;

    /// What it listens on, for a person.
    virtual std::vector<std::string> places() const { return {}; }
    /// Packets that the kernel had no room for, or found damaged.
    virtual std::uint64_t lost() const noexcept = 0;
    /// Copies whose fragments did not all come.
    virtual std::uint64_t incomplete() const noexcept = 0;
    virtual error failure() const { return {}; }
};

} // namespace flowtap::tools
