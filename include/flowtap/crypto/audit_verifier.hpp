// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include <flowtap/crypto/api.hpp>
#include <flowtap/crypto/audit_chain.hpp>

namespace flowtap::crypto {

/// What is wrong at a place of an audit log.
enum class audit_fault : std::uint8_t {
    changed,    ///< a line is not what was written
    inserted,   ///< a line belongs to no chain and stands in no other one's place
    removed,    ///< lines are missing before this one
    repeated,   ///< a line stands there a second time
    moved,      ///< a line stands in another place than it was written in
    cut,        ///< the last line of a file has no end
    truncated,  ///< the lines that were written last are missing
    wrong_state ///< the stored state belongs to another chain
};

/// One word for a fault: "changed", "removed", ...
FLOWTAP_CRYPTO_API std::string_view to_string(audit_fault fault);

/// One thing that was found.
struct audit_finding {
    audit_fault fault = audit_fault::changed;
    /// Which of the files, and which line of it, both from 1. Of `removed` the line that comes
    /// after the gap; of `truncated` the last one there is.
    std::size_t file = 0;
    std::uint64_t line = 0;
    /// The number in the chain, or the first and last of those missing; 0 when there is none to
    /// tell.
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    /// How many lines it is about: of those missing some may have been found elsewhere.
    std::uint64_t count = 1;
};

/// What was verified.
struct audit_totals {
    /// Lines that are authentic and in their place.
    std::uint64_t good = 0;
    std::uint64_t lines = 0;
    std::uint64_t findings = 0;
    /// The number of the last line of the chain that is there.
    std::uint64_t last = 0;
    /// Lines that stood there before the chain began, which nothing protects.
    std::uint64_t before = 0;
};

/// Verifies the files of one chain, from the first line on, in the order in which they were
/// written. Files are given in pieces of any size and never held as a whole: memory is bounded by
/// the longest line and by what is found out of place. Each line costs one HMAC and one hash, and
/// a line that is out of place up to a thousand hashes more.
class FLOWTAP_CRYPTO_API audit_verifier {
public:
    using report = std::function<void(const audit_finding&)>;

    audit_verifier(const audit_key& first, report to);
    ~audit_verifier();
    audit_verifier(const audit_verifier&) = delete;
    audit_verifier& operator=(const audit_verifier&) = delete;

    void put(std::string_view octets);
    void end_file();

    /// After the last file. Without the stored state, lines missing at the end cannot be told from
    /// lines that never were.
    audit_totals finish(const std::optional<audit_chain>& stored);

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

} // namespace flowtap::crypto
