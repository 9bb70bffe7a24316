// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/packet_key.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/filter/classifier.hpp>
#include <flowtap/path/api.hpp>

namespace flowtap::path {

/// Terms of packets that a criterion matches and that are nevertheless not copied for it: Junos'
/// `drop-policy` (juniper.md section 6). Immutable; many criteria may share one, and any thread may
/// ask.
///
/// \code
/// filter_spec video;
/// video.families = family::inet;
/// video.protocols.entries.push_back({{17, 17}, false});
/// auto terms = path::drop_policy::make(std::span(&video, 1));
/// if (!terms)
///     return fail(terms.error());
/// path::action what;
/// what.withholds = *terms;
/// \endcode
class FLOWTAP_PATH_API drop_policy {
public:
    static constexpr std::size_t most_terms = 1024;

    /// A packet that meets any of `terms` is withheld. Addresses, protocols, ports and ICMP are
    /// looked at; the scope of a term is not, so it holds in both directions and at all interfaces.
    /// No terms withhold nothing.
    /// Errors: those of `filter::criterion::make`, and `filter::errc::too_many_criteria`,
    /// `too_many_entries`, `too_much_memory`.
    static result<std::shared_ptr<const drop_policy>> make(std::span<const filter_spec> terms);

    /// `room` is `make_room()`'s, one for each thread. Allocates nothing.
    bool withholds(const packet_key& key, filter::match_buffer& room) const noexcept;
    static filter::match_buffer make_room();

private:
    explicit drop_policy(filter::classifier terms) noexcept;

    filter::classifier terms_;
};

} // namespace flowtap::path
