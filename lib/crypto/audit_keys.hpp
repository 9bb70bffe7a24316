// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <flowtap/crypto/audit_chain.hpp>

namespace flowtap::crypto::detail {

/// The keys of a chain by number. One after another they cost a hash each; any other one costs the
/// way from a mark before it.
class audit_keys {
public:
    explicit audit_keys(const audit_key& first) : marks_{first}, key_(first) {}

    /// `number` counts from 1.
    const audit_key& at(std::uint64_t number) {
        const std::uint64_t wanted = number - 1;
        if (wanted < place_ || wanted / between_marks > place_ / between_marks)
            go_to_mark(wanted / between_marks);
        while (place_ < wanted)
            advance();
        return key_;
    }

private:
    static constexpr std::uint64_t between_marks = 1024;

    void go_to_mark(std::uint64_t mark) {
        const std::uint64_t known = mark < marks_.size() ? mark : marks_.size() - 1;
        // From where it stands the way may be shorter.
        if (place_ >= known * between_marks && place_ <= mark * between_marks)
            return;
        key_ = marks_[known];
        place_ = known * between_marks;
    }

    void advance() {
        key_ = key_.next();
        if (++place_ % between_marks == 0 && place_ / between_marks == marks_.size())
            marks_.push_back(key_);
    }

    std::vector<audit_key> marks_;
    audit_key key_;
    /// Whose key it is, from 0.
    std::uint64_t place_ = 0;
};

} // namespace flowtap::crypto::detail
