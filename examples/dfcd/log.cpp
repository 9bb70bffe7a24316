// SPDX-License-Identifier: Apache-2.0
#include "log.hpp"

#include <cstdio>

namespace dfcd {

void log_line(std::string_view text) {
    const std::string line = fmt::format("dfcd: {}\n", text);
    std::fwrite(line.data(), 1, line.size(), stderr);
}

} // namespace dfcd
