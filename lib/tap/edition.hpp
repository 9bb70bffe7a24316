// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <flowtap/core/ids.hpp>

namespace flowtap::tap {

/// Counts what the control side publishes, from 1. A change knows the edition that will hold it
/// before that is published, and with it a generation of the data path.
using edition = strong_id<struct edition_tag, std::uint64_t>;

} // namespace flowtap::tap
