// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include <flowtap/core/result.hpp>
#include <flowtap/packet/intercept_id.hpp>
#include <flowtap/subscriber/mirroring.hpp>
#include <flowtap/tap/subscribers.hpp>

#include "trigger_index.hpp"

namespace flowtap::subscriber {

/// What somebody asked to have mirrored.
struct intercept {
    /// Zero for RADIUS.
    tap::trigger_number number;
    std::string control_source;
    packet::mirror_id id;
    family_set families = family_set(family::inet) | family::inet6;
    std::vector<tap::mirror_copy> copies;
    std::optional<std::string> drop_policy;
    /// Of use for DTCP.
    whole_trigger subscribers;
    /// Those that it has.
    std::set<session_ref> sessions;
};

intercept make_intercept(const radius_request& asked);
intercept make_intercept(const tap::subscriber_request& asked, const mirroring_settings& with);

/// Whether there is a source address for all copies, whatever member they leave through. Errors:
/// `tap::errc::no_source_address`, `flowtap::errc::mixed_families`.
result<void> check_copies(const std::vector<tap::mirror_copy>& copies,
                          const mirroring_settings& with);

/// The mirror of a session for an intercept; null `member`: there is no pool. Errors:
/// `errc::no_session_number`, `tap::errc::no_source_address`.
result<tap::mirror> make_mirror(const session_record& session, const intercept& by,
                                const mirroring_settings& with, const pool_member* member);

} // namespace flowtap::subscriber
