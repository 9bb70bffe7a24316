// SPDX-License-Identifier: Apache-2.0
#include "pipe.hpp"

#include <algorithm>
#include <utility>

namespace flowtap::cli {

namespace {

/// Takes the lines for which `keeps` says yes.
template <class Predicate>
std::string lines_of(std::string_view text, Predicate keeps) {
    std::string kept;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size() - 1);
        const std::string_view line = text.substr(at, end - at + 1);
        if (keeps(line))
            kept += line;
        at = end + 1;
    }
    return kept;
}

} // namespace

std::string through(std::string output, const std::vector<filter>& filters) {
    for (const filter& each : filters) {
        const auto has = [&](std::string_view line) {
            return line.find(each.text) != std::string_view::npos;
        };
        switch (each.what) {
        case filter::kind::match:
            output = lines_of(output, has);
            break;
        case filter::kind::except:
            output = lines_of(output, [&](std::string_view line) { return !has(line); });
            break;
        case filter::kind::count:
            output = "Count: " + std::to_string(std::count(output.begin(), output.end(), '\n')) +
                     " lines\n";
            break;
        }
    }
    return output;
}

std::string limited(std::string output, std::size_t octets) {
    if (output.size() <= octets)
        return output;
    const std::size_t end = output.rfind('\n', octets);
    output.resize(end == std::string::npos ? 0 : end + 1);
    return output + "... the output is too long: it ends here\n";
}

} // namespace flowtap::cli
