// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <flowtap/capture/live_options.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/path/sink.hpp>
#include <flowtap/path/source.hpp>

#include "bindings.hpp"
#include "options.hpp"

namespace dfcd {

/// An input as it was opened.
struct opened_input {
    /// One for each worker.
    std::vector<std::unique_ptr<flowtap::path::source>> sources;
    /// Of a device: how it is read, for the log.
    std::string how;
};

/// Opens the capture file of an input, or its network device for as many workers as there are to
/// be. `on_change` is called from a worker's thread when the device has changed.
flowtap::result<opened_input>
open_input(const bound_input& from, const options& chosen,
           std::function<void(flowtap::capture::device_state)> on_change);

/// Where the copies of all inputs go: the network, or the file of `--write`.
class copy_outlet {
public:
    copy_outlet() = default;
    copy_outlet(const copy_outlet&) = delete;
    copy_outlet& operator=(const copy_outlet&) = delete;
    virtual ~copy_outlet() = default;

    static flowtap::result<std::unique_ptr<copy_outlet>> open(const options& chosen);

    /// A sink for one more worker. It may outlive the outlet.
    virtual flowtap::result<std::unique_ptr<flowtap::path::sink>> make_sink() = 0;

    /// Why the file of `--write` has not got all copies; empty when it has.
    virtual flowtap::error failure() const { return {}; }
};

} // namespace dfcd
