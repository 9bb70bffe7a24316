// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <flowtap/core/error.hpp>

namespace flowtap::config {

enum class severity : std::uint8_t {
    warning, ///< worth a look; the configuration can be used
    error,   ///< the configuration must not be used
};

/// One thing that is wrong with a configuration, for the person who wrote it.
struct diagnostic {
    severity level = severity::error;
    std::string file;
    /// Of the first octet of what is wrong.
    text_position where;
    /// A whole sentence without the full stop. Never holds a secret.
    std::string message;

    friend bool operator==(const diagnostic&, const diagnostic&) = default;
};

using diagnostics = std::vector<diagnostic>;

inline bool has_errors(const diagnostics& found) noexcept {
    return std::any_of(found.begin(), found.end(),
                       [](const diagnostic& d) { return d.level == severity::error; });
}

/// `lab.conf:12:9: error: there is no statement "inett" here; did you mean "inet"?`
std::string to_string(const diagnostic& shown);

} // namespace flowtap::config
