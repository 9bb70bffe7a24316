// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <flowtap/core/ids.hpp>
#include <flowtap/dtcp/sequence.hpp>
#include <flowtap/tap/sequence_store.hpp>

namespace flowtap::tap {

/// What becomes of a sequence number.
struct sequence_decision {
    dtcp::sequence_verdict verdict = dtcp::sequence_verdict::accepted;
    /// A bound had to be stored for it, which was done.
    bool stored = false;
    /// The number is good, and used up, but it could not be stored: 500, and nothing is done.
    bool not_stored = false;
};

/// The sequence numbers of one control source, kept across restarts (dtcp.md, section 3).
///
/// What is stored is a bound that is `block` numbers ahead, so that not every request writes. It is
/// stored before a number above the last bound is accepted, and is never beyond a rollover, which
/// so is seen (and told) after a restart, too.
class sequence_guard {
public:
    /// How many requests one write is good for.
    static constexpr std::uint64_t block = 64;

    /// Decides about the number of an authentic request. `store` may be null: then nothing is
    /// kept.
    sequence_decision accept(sequence_number candidate, std::string_view source,
                             sequence_store* store);

    const dtcp::sequence_window& windows() const noexcept { return window_; }

    /// Forgets everything, also what is stored. False, and nothing is done, if that failed.
    bool reset(std::string_view source, sequence_store* store);

    /// Stores the exact last number. False if that failed.
    bool save(std::string_view source, sequence_store* store);

private:
    void load(std::string_view source, sequence_store* store);
    /// True if `last` is not above what is stored.
    bool is_reserved(sequence_number last) const noexcept;
    /// Stores a bound from `last` on. False if that failed.
    bool reserve(sequence_number last, std::string_view source, sequence_store& store);

    dtcp::sequence_window window_;
    /// What is stored.
    std::optional<sequence_number> bound_;
    bool loaded_ = false;
};

} // namespace flowtap::tap
