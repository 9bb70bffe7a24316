// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/packet_key.hpp>

#include "values.hpp"

namespace flowtap::filter {

/// A field that a residual check looks at.
enum class residual_field : std::uint8_t {
    end,
    source_address,
    destination_address,
    protocol,
    source_port,
    destination_port,
    icmp_type,
    icmp_code,
    interface,
    port_pairs,
};

/// The lists of criteria that the bounds of a rule do not say exactly, one after the other in a
/// compact form. A check is a few lists that end with `residual_field::end`; each but the pairs is
/// sorted.
class residual_store {
public:
    /// The check that always holds.
    static constexpr std::uint32_t nothing = 0;

    residual_store() : words_{0} {}

    /// Begins a check. `finish` ends it and says where it is; nothing is kept of an empty one.
    void begin() noexcept { start_ = words_.size(); }
    /// Begins a check with all lists of `earlier`, whose `last_size` was `size`.
    void begin_like(std::uint32_t earlier, std::size_t size);
    template <class T>
    void require(residual_field field, const std::vector<value_range<T>>& ranges);
    void require_pairs(const filter_spec& spec);
    std::uint32_t finish();
    /// The words of the check that was finished last.
    std::size_t last_size() const noexcept { return words_.size() - start_; }

    /// Whether `key` passes the check at `at`.
    bool holds(std::uint32_t at, const packet_key& key) const noexcept {
        return at == nothing || holds_from(words_.data() + at, key);
    }

    std::size_t memory() const noexcept { return words_.capacity() * sizeof(std::uint32_t); }
    void shrink() { words_.shrink_to_fit(); }

private:
    static bool holds_from(const std::uint32_t* at, const packet_key& key) noexcept;

    /// A list is its field, with the number of its ranges above eight bits, and the ranges.
    std::vector<std::uint32_t> words_;
    std::size_t start_ = 0;
};

} // namespace flowtap::filter
