// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <system_error>
#include <type_traits>
#include <utility>

#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/core/packet_key.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/filter/api.hpp>

namespace flowtap::filter {

/// Why a filter cannot become a criterion, or criteria cannot become a classifier.
enum class errc {
    no_family = 1,       ///< the filter names no family to look at
    family_conflict,     ///< addresses need exactly one family, and it must be IPv4 or IPv6
    reversed_range,      ///< a range ends before it begins
    port_pairs_differ,   ///< paired port lists differ in length
    port_pairs_negated,  ///< paired port lists have a negated entry
    too_many_port_pairs, ///< more than 15 port pairs
    empty_scope,         ///< the scope names no interface
    too_many_criteria,   ///< more criteria than the limit allows
    too_many_entries,    ///< more entries in lists than the limit allows
    too_much_memory,     ///< the compiled criteria take more memory than the limit allows
    duplicate_slot,      ///< two criteria have the same slot
};

/// The category of `filter::errc`, named "flowtap.filter".
FLOWTAP_FILTER_API const std::error_category& filter_category() noexcept;

inline std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), filter_category()};
}

/// A filter that was found to be consistent, with the slot it stands for.
class criterion {
public:
    /// Checks `spec` and brings it to a normal form: paired port lists of which one is a wildcard
    /// or has a single entry become a product, which means the same. All else is kept as given.
    /// Errors: the codes of `errc` up to `empty_scope`; the subject names the field by its DTCP
    /// name.
    FLOWTAP_FILTER_API static result<criterion> make(slot_id slot, filter_spec spec);

    slot_id slot() const noexcept { return slot_; }
    const filter_spec& spec() const noexcept { return spec_; }

private:
    criterion(slot_id slot, filter_spec spec) : slot_(slot), spec_(std::move(spec)) {}

    slot_id slot_;
    filter_spec spec_;
};

/// Whether one packet meets one filter, straight from the definitions in `filter_spec`: slow, and
/// the oracle that every faster way is held against. A whole frame (family ccc) has neither
/// addresses nor a protocol, so it meets only filters that leave all fields open. `spec` is one
/// that `criterion::make` accepts; for others the answer means nothing.
FLOWTAP_FILTER_API bool matches(const filter_spec& spec, const packet_key& key) noexcept;

} // namespace flowtap::filter

template <>
struct std::is_error_code_enum<flowtap::filter::errc> : std::true_type {};
