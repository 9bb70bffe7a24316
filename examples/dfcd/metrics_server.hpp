// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include <flowtap/core/address.hpp>
#include <flowtap/core/opener.hpp>
#include <flowtap/core/result.hpp>

#include "measures.hpp"
#include "metrics_address.hpp"

namespace dfcd {

/// Serves `/metrics`, `/status` and `/status.json` over HTTP/1.1, on a thread of its own: whoever
/// asks, however slowly or often, takes nothing of the control side but one look at its counters a
/// request. One request a connection; connections, their time and their requests' size are bounded.
class metrics_server {
public:
    /// Has `answer` called once, on any thread and soon, with what the control side has counted.
    using asked = std::function<void(std::function<void(control_counters)> answer)>;

    /// Has `via` open the socket. `packets` must outlive the server.
    /// Errors: those of `local_listener`, and of the operating system.
    static flowtap::result<std::unique_ptr<metrics_server>>
    open(const metrics_address& where, const flowtap::path::data_path& packets, asked control,
         flowtap::opener& via = flowtap::direct_opener());
    /// Ends all connections.
    ~metrics_server();
    metrics_server(const metrics_server&) = delete;
    metrics_server& operator=(const metrics_server&) = delete;

    /// Begins to answer.
    void start();

    /// Where it listens with TCP; none for a socket in the file system.
    std::optional<flowtap::endpoint> endpoint() const;

private:
    struct implementation;
    explicit metrics_server(std::unique_ptr<implementation> with);
    std::unique_ptr<implementation> implementation_;
};

} // namespace dfcd
