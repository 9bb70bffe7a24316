// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include <flowtap/core/address.hpp>
#include <flowtap/subscriber/session.hpp>
#include <flowtap/tap/subscribers.hpp>

#include "chain_index.hpp"

namespace flowtap::subscriber {

/// A trigger with everything that it leaves open filled in.
struct whole_trigger {
    tap::session_trait by = tap::session_trait::user_name;
    std::string value;
    std::string logical_system;
    std::string routing_instance;
};

/// Whether a session is one that a trigger means.
bool is_meant(const session_record& session, const whole_trigger& by);

/// The triggers, found by the sessions that they mean.
class trigger_index {
public:
    void insert(tap::trigger_number number, const whole_trigger& what);
    void erase(tap::trigger_number number, const whole_trigger& what);

    /// The oldest one that means a session. Takes time in proportion to the session's attributes,
    /// and to the triggers with addresses in its prefixes.
    std::optional<tap::trigger_number> first_of(const session_record& session) const;

private:
    using numbers = std::set<tap::trigger_number>;
    /// A logical system and a routing instance, and what is looked for there.
    using address_key = std::pair<std::string, ip_address>;

    std::array<std::unordered_map<std::string, numbers, text_hash, std::equal_to<>>,
               tap::session_trait_count>
        texts_;
    std::map<address_key, numbers> addresses_;
};

} // namespace flowtap::subscriber
