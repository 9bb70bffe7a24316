// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/sequence.hpp>

namespace flowtap::dtcp {

sequence_window::sequence_window(sequence_number last) {
    set(last);
}

void sequence_window::set(sequence_number first) noexcept {
    last_ = first;
    seen_.set();
}

void sequence_window::reset() noexcept {
    last_.reset();
    seen_.reset();
}

sequence_verdict sequence_window::check(sequence_number candidate) const noexcept {
    if (!last_)
        return sequence_verdict::accepted;

    const std::uint64_t below = last_->value() - candidate.value();
    if (below < negative_size)
        return seen_.test(below) ? sequence_verdict::repeated : sequence_verdict::accepted;

    const std::uint64_t above = candidate.value() - last_->value();
    if (above > positive_size)
        return sequence_verdict::outside;
    if (candidate > *last_)
        return sequence_verdict::accepted;
    // Past zero: the top octet of the last number must be 0xFF. A window of 256 implies it, the
    // rule is the draft's own.
    return (last_->value() >> 56) == 0xFF ? sequence_verdict::rolled_over
                                          : sequence_verdict::outside;
}

sequence_verdict sequence_window::accept(sequence_number candidate) noexcept {
    const sequence_verdict verdict = check(candidate);
    if (!is_accepted(verdict))
        return verdict;
    if (!last_) {
        set(candidate);
        return verdict;
    }

    const std::uint64_t below = last_->value() - candidate.value();
    if (below < negative_size) {
        seen_.set(below);
        return verdict;
    }
    seen_ <<= candidate.value() - last_->value();
    seen_.set(0);
    last_ = candidate;
    return verdict;
}

} // namespace flowtap::dtcp
