// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flowtap::cli {

/// What a command's output goes through.
struct filter {
    enum class kind : std::uint8_t {
        match,  ///< lines with a text
        except, ///< lines without it
        count,  ///< their number
    };
    kind what = kind::match;
    std::string text = {};
};

/// The output of filters, in their order.
std::string through(std::string output, const std::vector<filter>& filters);

/// The output, cut at the end of a line so that it keeps to a limit; the last line says so.
std::string limited(std::string output, std::size_t octets);

} // namespace flowtap::cli
