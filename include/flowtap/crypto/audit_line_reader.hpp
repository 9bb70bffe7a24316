// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <flowtap/crypto/audit_chain.hpp>

namespace flowtap::crypto {

/// A line of a file as it was read. Of one that is too long the octets are only counted.
struct raw_audit_line {
    /// Without its end. Borrows until the next call.
    std::string_view text;
    /// With its end.
    std::uint64_t octets = 0;
    bool has_end = true;
    bool is_too_long = false;
};

/// Cuts the octets of a file, in pieces of any size, into lines of bounded length. Lines that lie
/// within a piece are not copied. `take` is called with each `raw_audit_line`.
class audit_line_reader {
public:
    template <class Take>
    void put(std::string_view octets, Take&& take) {
        while (!octets.empty()) {
            const std::size_t end = octets.find('\n');
            const std::string_view piece = octets.substr(0, end);
            if (end == std::string_view::npos)
                return hold(piece);
            if (held_octets_ == 0) {
                const bool fits = piece.size() < longest_audit_line;
                take(raw_audit_line{fits ? piece : std::string_view(), piece.size() + 1, true,
                                    !fits});
            } else {
                hold(piece);
                give(true, take);
            }
            octets.remove_prefix(end + 1);
        }
    }

    /// After the last piece of a file; the next one may be of another.
    template <class Take>
    void end(Take&& take) {
        if (held_octets_ != 0)
            give(false, take);
    }

private:
    void hold(std::string_view piece) {
        held_octets_ += piece.size();
        if (held_octets_ < longest_audit_line)
            held_.append(piece);
        else
            held_.clear();
    }

    template <class Take>
    void give(bool has_end, Take&& take) {
        const bool fits = held_octets_ < longest_audit_line;
        take(raw_audit_line{fits ? std::string_view(held_) : std::string_view(),
                            held_octets_ + (has_end ? 1 : 0), has_end, !fits});
        held_.clear();
        held_octets_ = 0;
    }

    std::string held_;
    std::uint64_t held_octets_ = 0;
};

} // namespace flowtap::crypto
