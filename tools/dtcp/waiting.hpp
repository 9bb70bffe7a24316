// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <vector>

#include <flowtap/core/descriptor.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/transport/dtcp_link.hpp>

namespace dtcp_tool {

/// While it lives, SIGINT and SIGTERM do not end the program but can be waited for. One at a time.
class interruption {
public:
    interruption();
    ~interruption();
    interruption(const interruption&) = delete;
    interruption& operator=(const interruption&) = delete;

    /// Signals end the program again while this lives.
    class pause {
    public:
        explicit pause(interruption& of) : of_(&of) { of_->uninstall(); }
        ~pause() { of_->install(); }
        pause(const pause&) = delete;
        pause& operator=(const pause&) = delete;

    private:
        interruption* of_;
    };

    /// Lets a signal that was taken do what it does without this.
    void pass_on(int number);

    /// Becomes readable with a signal.
    int descriptor() const noexcept { return reading_.number(); }
    /// The signal that came; none if none has.
    std::optional<int> take();

private:
    void install();
    void uninstall();

    flowtap::descriptor reading_;
    flowtap::descriptor writing_;
    struct sigaction interrupt_before_ = {};
    struct sigaction terminate_before_ = {};
};

/// Why waiting ended.
enum class wakeup {
    input,       ///< the descriptor of the caller is readable
    interrupted, ///< Ctrl-C
    terminated,  ///< SIGTERM
    enough,      ///< what was waited for is there
    late,        ///< it did not come in time
};

/// What is waited for, beside messages that nobody has asked for.
struct wait_conditions {
    /// A descriptor; -1 for none.
    int input = -1;
    /// Asked whenever something has come; none: never enough.
    std::function<bool()> is_enough = {};
    std::optional<std::chrono::milliseconds> timeout = {};
    /// Called after messages were handed over, before waiting goes on.
    std::function<void()> on_messages = {};
};

/// Hands over what comes from `sources` until something else happens. Errors: theirs.
flowtap::result<wakeup>
wait_for_messages(const std::vector<flowtap::transport::message_source*>& sources,
                  flowtap::dtcp::response_handler& to, interruption& signals,
                  const wait_conditions& conditions);

} // namespace dtcp_tool
