// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <flowtap/core/address.hpp>
#include <flowtap/permission/principal.hpp>
#include <flowtap/transport/api.hpp>
#include <flowtap/transport/channel.hpp>

namespace flowtap::transport {

/// What a client wants to run on a channel (RFC 4254, section 6.5).
enum class request_kind : std::uint8_t {
    subsystem, ///< `ssh -s host name`
    exec,      ///< `ssh host command`
    shell,     ///< `ssh host`
};

/// One such request of an authenticated client.
struct channel_request {
    request_kind kind = request_kind::subsystem;
    /// The subsystem's name, or the command; empty for a shell.
    std::string_view name;
    const permission::principal& who;
    const endpoint& peer;
    /// The terminal it has asked for before, if any.
    std::optional<terminal> screen;
};

/// Decides what is served on channels, and by what. Refuses everything that it has not been told to
/// serve; a terminal too.
///
/// \code
/// channel_router router;
/// router.serve(request_kind::subsystem, "flow-tap-dtcp",
///              [&](const channel_request& asked) { return service.open(asked); });
/// \endcode
class FLOWTAP_TRANSPORT_API channel_router {
public:
    /// Makes the handler for a request, or returns null to refuse it. Called on the loop's thread.
    using factory = std::function<std::unique_ptr<channel_handler>(const channel_request&)>;

    /// Serves the subsystem of this name, or this very command.
    void serve(request_kind kind, std::string name, factory make);
    /// Serves everything of a kind that has no entry of its own: all commands, or the shell.
    void serve_all(request_kind kind, factory make);

    /// Whether a client may have a terminal. Without this nobody may.
    void allow_terminal(std::function<bool(const permission::principal&)> decide);

    /// The handler for a request; null refuses it.
    std::unique_ptr<channel_handler> open(const channel_request& asked) const;
    bool allows_terminal(const permission::principal& who) const;

private:
    std::map<std::pair<request_kind, std::string>, factory> named_;
    std::map<request_kind, factory> rest_;
    std::function<bool(const permission::principal&)> terminal_;
};

} // namespace flowtap::transport
