// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <flowtap/capture/live_options.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/deliver/network_sink.hpp>
#include <flowtap/path/data_path.hpp>
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
/// be. Of `how` `on_change`, which is called from a worker's thread, and `in_kernel` count; with
/// the latter the sources tell what it has filtered.
flowtap::result<opened_input> open_input(const bound_input& from, const options& chosen,
                                         flowtap::capture::live_options how);

/// The name of the file that the copies of an input go to: the pattern of `--write`, with the
/// interface for `input_mark` (`ge-0-0-0`, `ge-0-0-0.100-out`).
std::string copies_name(const std::string& pattern, const input& of);

/// How a worker reads an input.
flowtap::path::worker_options worker_options_for(const options& chosen);

/// How copies leave for the network.
flowtap::deliver::network_options network_options_for(const options& chosen);

/// Where the copies of all inputs go: the network, or the files of `--write`.
class copy_outlet {
public:
    copy_outlet() = default;
    copy_outlet(const copy_outlet&) = delete;
    copy_outlet& operator=(const copy_outlet&) = delete;
    virtual ~copy_outlet() = default;

    static flowtap::result<std::unique_ptr<copy_outlet>> open(const options& chosen);

    /// A sink for one more worker of an input. It may outlive the outlet.
    virtual flowtap::result<std::unique_ptr<flowtap::path::sink>> make_sink(const input& of) = 0;

    /// Why a file of `--write` has not got all copies; empty when all have.
    virtual flowtap::error failure() const { return {}; }
};

} // namespace dfcd
