// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <flowtap/crypto/api.hpp>
#include <flowtap/crypto/hmac.hpp>

namespace flowtap::crypto {

/// What authenticates one line of an audit log. The next line's key is its SHA-256, so that a key
/// tells nothing about those before it. Wiped from memory with the object.
class FLOWTAP_CRYPTO_API audit_key {
public:
    static constexpr std::size_t size = 32;

    /// Takes the octets; the caller wipes its own copy.
    explicit audit_key(const std::array<std::byte, size>& octets) noexcept : octets_(octets) {}
    audit_key(const audit_key&) = default;
    audit_key& operator=(const audit_key&) = default;
    ~audit_key();

    /// A key from the system's secure generator.
    static audit_key random();
    /// Reads what `to_text` has written, a line's end behind it or not; nothing else is a key.
    static std::optional<audit_key> from_text(std::string_view text);

    /// 64 hexadecimal digits, of which the caller takes care.
    std::string to_text() const;
    /// The key of the line after this one's.
    audit_key next() const;
    std::string_view octets() const noexcept;

    /// In a time that does not depend on the octets.
    friend FLOWTAP_CRYPTO_API bool operator==(const audit_key& a, const audit_key& b) noexcept;

private:
    std::array<std::byte, size> octets_;
};

/// The HMAC-SHA256 that ends a line.
using audit_tag = hmac_sha256::digest;

/// The longest line that is written or read, its end included.
inline constexpr std::size_t longest_audit_line = std::size_t{1} << 20U;

/// A line as it stands in a log. Borrows from it.
struct audit_line {
    std::uint64_t number = 0;
    /// Octets that stood in the file before the chain began; in the first line only.
    std::uint64_t before = 0;
    /// What the tag is about: all that stands before it.
    std::string_view text;
    audit_tag tag{};
};

/// Takes a line apart, given without its end; nothing for what no chain has written:
/// ```
/// {"number":N,["before":N,]...,"tag":"64 hexadecimal digits"}
/// ```
/// Whether the tag is right is another question. Linear in the digits; no JSON is parsed.
FLOWTAP_CRYPTO_API std::optional<audit_line> read_audit_line(std::string_view line);

/// Whether the tag of a line is right under its key. `hash` is any; its key changes.
FLOWTAP_CRYPTO_API bool is_authentic(const audit_line& line, const audit_key& key,
                                     hmac_sha256& hash);

/// Where a chain of lines stands: makes the next line, and steps over it when it is written. Does
/// no I/O.
///
/// \code
/// const std::string line = chain.line("\"event\":\"add\"");
/// append(file, line);            // when this fails the chain stays where it is
/// chain.step(line);              // the key of the line is gone now
/// overwrite(state, chain.to_text());
/// \endcode
class FLOWTAP_CRYPTO_API audit_chain {
public:
    /// What `to_text` makes, always: one write of less than a sector is either there or not.
    static constexpr std::size_t text_size = 512;

    /// A chain that begins.
    explicit audit_chain(const audit_key& first) : key_(first) {}

    /// Reads what `to_text` has made; nothing for anything else.
    static std::optional<audit_chain> from_text(std::string_view text);

    /// The whole line, its end included, around JSON members: `"time":"...","event":"..."`.
    std::string line(std::string_view members) const;
    /// The same, as the first line in a file with `before` octets that belong to no chain.
    std::string line(std::string_view members, std::uint64_t before) const;
    /// Steps over a line that `line` has made since the last step.
    void step(std::string_view written);
    /// Steps over a line found in the file, its end not included, if it is the next one: it was
    /// written, and then there was no time to store that. Returns whether it is.
    bool adopt(std::string_view found);

    /// The number of the next line; the first one has 1.
    std::uint64_t next() const noexcept { return next_; }
    /// The tag of the line before it; zeros if there is none.
    const audit_tag& last_tag() const noexcept { return last_; }
    const audit_key& key() const noexcept { return key_; }

    /// The state as text of `text_size` octets, with the next line's key in it. `file` is the name
    /// of the file that the lines are in, for people; what is long is cut off.
    std::string to_text(std::string_view file) const;

private:
    audit_key key_;
    std::uint64_t next_ = 1;
    audit_tag last_{};
};

} // namespace flowtap::crypto
