// SPDX-License-Identifier: Apache-2.0
#include "suggestion.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace flowtap::config {

namespace {

/// How many letters must be changed, added, taken away or swapped with their neighbour (optimal
/// string alignment). Time is the product of the lengths.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
        std::swap(before_last, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

} // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
    // No keyword is longer; the bound keeps hostile words cheap.
    if (word.empty() || word.size() > 40)
        return {};
    std::size_t best = word.size() >= 6 ? 2 : 1;
    std::string_view chosen;
    for (const std::string_view candidate : candidates) {
        const std::size_t slips = distance(word, candidate);
        if (slips < best || (slips == best && chosen.empty())) {
            best = slips;
            chosen = candidate;
        }
    }
    return best < word.size() ? chosen : std::string_view();
}

} // namespace flowtap::config
