// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <flowtap/core/ids.hpp>
#include <flowtap/dtcp/api.hpp>

namespace flowtap::dtcp {

/// What the sequence window says about a number.
enum class sequence_verdict : std::uint8_t {
    accepted,    ///< in the positive window, or unseen in the negative one, or the first of all
    rolled_over, ///< accepted, and the count went past zero: a 130 notification and a log line
    repeated,    ///< seen before: never answered
    outside,     ///< outside both windows: never answered
};

constexpr bool is_accepted(sequence_verdict verdict) noexcept {
    return verdict == sequence_verdict::accepted || verdict == sequence_verdict::rolled_over;
}

/// The sequence numbers of one control source (draft-cavuto-dtcp-03, section 4.4.1): a number is
/// good 1 to 256 above the last valid one, or up to 255 below it when not seen before. Arithmetic
/// is modulo 2^64.
///
/// Pure logic: `check` changes nothing, so that only an authentic message moves the window.
class FLOWTAP_DTCP_API sequence_window {
public:
    static constexpr std::uint64_t positive_size = 256;
    /// The last valid number and the 255 below it.
    static constexpr std::size_t negative_size = 256;

    /// Without a stored state: the first number accepted sets it.
    sequence_window() = default;
    /// With a stored state; the whole negative window counts as seen.
    explicit sequence_window(sequence_number last);

    sequence_verdict check(sequence_number candidate) const noexcept;
    /// Checks, and marks a number that is accepted as seen.
    sequence_verdict accept(sequence_number candidate) noexcept;

    /// The last valid number; none before the first.
    std::optional<sequence_number> last() const noexcept { return last_; }
    /// The manual reset: as if newly made.
    void reset() noexcept;

private:
    void set(sequence_number first) noexcept;

    std::optional<sequence_number> last_;
    /// Bit n: the number n below the last was seen.
    std::bitset<negative_size> seen_;
};

} // namespace flowtap::dtcp
