// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <flowtap/core/result.hpp>
#include <flowtap/path/sink.hpp>
#include <flowtap/path/source.hpp>

#include "bindings.hpp"
#include "options.hpp"

namespace dfcd {

/// Opens the capture file or the network device of an input.
flowtap::result<std::unique_ptr<flowtap::path::source>> open_source(const bound_input& from,
                                                                    const options& chosen);

/// Where the copies of all inputs go: the network, or the file of `--write`.
class copy_outlet {
public:
    copy_outlet() = default;
    copy_outlet(const copy_outlet&) = delete;
    copy_outlet& operator=(const copy_outlet&) = delete;
    virtual ~copy_outlet() = default;

    static flowtap::result<std::unique_ptr<copy_outlet>> open(const options& chosen);

    /// A sink for one more input. It may outlive the outlet.
    virtual flowtap::result<std::unique_ptr<flowtap::path::sink>> make_sink() = 0;

    /// Why the file of `--write` has not got all copies; empty when it has.
    virtual flowtap::error failure() const { return {}; }
};

} // namespace dfcd
