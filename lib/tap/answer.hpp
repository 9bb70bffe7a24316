// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include <flowtap/core/ids.hpp>
#include <flowtap/dtcp/response.hpp>

#include "edition.hpp"
#include "listing.hpp"
#include "publisher.hpp"

namespace flowtap::tap {

/// What an answer waits for before it may be sent (dtcp.md, section 11).
enum class awaited : std::uint8_t {
    nothing,
    in_force, ///< the workers use the edition from their next batch on
    settled,  ///< no worker uses an older edition
};

/// The answer to one request.
struct answer {
    dtcp::response head;
    awaited until = awaited::nothing;
    edition number;
    /// The rest of the answer to a LIST.
    std::unique_ptr<listing> list;
};

/// True when what an answer waits for has come.
bool is_due(const answer& one, const publisher& published) noexcept;

} // namespace flowtap::tap
