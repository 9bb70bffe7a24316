// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

namespace flowtap::radius {

/// Where in a packet something is, as the subject of an error.
inline std::string place(std::size_t offset) {
    return "octet " + std::to_string(offset);
}

} // namespace flowtap::radius
