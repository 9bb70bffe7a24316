// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include <flowtap/core/ids.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/tap/api.hpp>

namespace flowtap::tap {

/// Where the sequence numbers of control sources survive a restart (dtcp.md, section 3). What is
/// stored is a bound: no number above it was ever accepted. It is moved ahead in blocks, so that
/// not every request writes; `access_point::save_sequences` stores the exact numbers at a clean
/// end. After anything else a control source finds at most a block of its next numbers used up.
///
/// Called on the control side's thread.
class FLOWTAP_TAP_API sequence_store {
public:
    sequence_store() = default;
    sequence_store(const sequence_store&) = delete;
    sequence_store& operator=(const sequence_store&) = delete;
    virtual ~sequence_store();

    /// The stored bound; none when the control source is not known: its first request sets it.
    virtual std::optional<sequence_number> load(std::string_view source) = 0;
    /// Stores a bound for good, before a number up to it is accepted. When this fails, the request
    /// is answered with 500 and nothing is done.
    virtual result<void> store(std::string_view source, sequence_number bound) = 0;
    /// Forgets the control source: the manual reset.
    virtual result<void> forget(std::string_view source) = 0;
};

} // namespace flowtap::tap
