// SPDX-License-Identifier: Apache-2.0
#include "sequence_guard.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace flowtap::tap {

namespace {

/// The arithmetic is modulo 2^64: of two numbers the one is above the other that is reached first.
bool is_above(sequence_number one, sequence_number other) noexcept {
    const std::uint64_t ahead = one.value() - other.value();
    return ahead != 0 && ahead <= std::numeric_limits<std::uint64_t>::max() / 2;
}

} // namespace

sequence_decision sequence_guard::accept(sequence_number candidate, std::string_view source,
                                         sequence_store* store) {
    load(source, store);
    const dtcp::sequence_verdict verdict = window_.accept(candidate);
    if (!dtcp::is_accepted(verdict) || store == nullptr)
        return {verdict};
    if (is_reserved(*window_.last()))
        return {verdict};
    // A number is used up whatever comes of it: what was answered with 500 once must not be done
    // when it is replayed.
    const bool stored = reserve(*window_.last(), source, *store);
    return {verdict, stored, !stored};
}

bool sequence_guard::reset(std::string_view source, sequence_store* store) {
    if (store != nullptr && !store->forget(source))
        return false;
    window_.reset();
    bound_.reset();
    loaded_ = true;
    return true;
}

bool sequence_guard::save(std::string_view source, sequence_store* store) {
    const auto last = window_.last();
    if (store == nullptr || !last || bound_ == last)
        return true;
    if (!store->store(source, *last))
        return false;
    bound_ = last;
    return true;
}

void sequence_guard::load(std::string_view source, sequence_store* store) {
    if (std::exchange(loaded_, true) || store == nullptr)
        return;
    bound_ = store->load(source);
    if (bound_)
        window_ = dtcp::sequence_window(*bound_);
}

bool sequence_guard::is_reserved(sequence_number last) const noexcept {
    return bound_ && !is_above(last, *bound_);
}

bool sequence_guard::reserve(sequence_number last, std::string_view source, sequence_store& store) {
    constexpr std::uint64_t highest = std::numeric_limits<std::uint64_t>::max();
    const std::uint64_t ahead = std::min(block - 1, highest - last.value());
    const sequence_number next{last.value() + ahead};
    if (!store.store(source, next))
        return false;
    bound_ = next;
    return true;
}

} // namespace flowtap::tap
