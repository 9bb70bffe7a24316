// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/subscriber/api.hpp>
#include <flowtap/subscriber/session.hpp>
#include <flowtap/tap/subscribers.hpp>

namespace flowtap::subscriber {

/// A way out for copies: a tunnel interface on Junos, a device here.
struct pool_member {
    std::string name;
    path::egress_id egress;
    /// Where copies come from that nothing else gives a source address: one of each family at most.
    std::vector<ip_address> addresses;
    /// None: the port that copies go to.
    std::optional<std::uint16_t> source_port;

    friend bool operator==(const pool_member&, const pool_member&) = default;
};

/// A session that is now sent through another member; none if there is no member left.
struct pool_move {
    session_ref session;
    std::optional<std::size_t> member;

    friend bool operator==(const pool_move&, const pool_move&) = default;
};

/// Spreads sessions over the members of a pool. A new session goes to the member that has the
/// fewest, so their numbers are within one of each other as long as none ends; a session stays
/// where it is until its member is removed or fails.
///
/// Putting a session in and taking it out takes time in proportion to the members, and losing a
/// member in proportion to its sessions too. For one thread at a time.
class FLOWTAP_SUBSCRIBER_API pool {
public:
    /// These and no others are the members from now on, told apart by their names; what else has
    /// changed of one is taken over. Those that had failed and stay are still failed. Returns where
    /// the sessions go whose member is gone, or that had none.
    std::vector<pool_move> assign(std::vector<pool_member> members);
    /// The member cannot be used for now. Returns where its sessions go.
    std::vector<pool_move> fail(std::string_view member);
    /// It can be used again: it gets new sessions, and those that have no member. Returns these.
    std::vector<pool_move> recover(std::string_view member);

    /// Gives a session that has none its member; none if none can be used: it gets one later.
    std::optional<std::size_t> insert(session_ref session);
    void erase(session_ref session);

    bool empty() const noexcept { return members_.empty(); }
    /// In the order of `assign`.
    std::size_t size() const noexcept { return members_.size(); }
    const pool_member& at(std::size_t member) const { return members_[member].what; }
    bool is_usable(std::size_t member) const { return !members_[member].failed; }
    std::size_t sessions(std::size_t member) const { return members_[member].sessions.size(); }
    std::size_t sessions_without() const noexcept { return without_.size(); }
    /// The member that a session of the pool is sent through.
    std::optional<std::size_t> member_of(session_ref session) const;

private:
    static constexpr std::uint32_t nowhere = UINT32_MAX;

    struct member_state {
        pool_member what;
        std::vector<session_ref> sessions;
        bool failed = false;
    };
    struct place {
        std::uint32_t member = nowhere;
        std::uint32_t position = nowhere;
    };

    member_state* find(std::string_view member);
    std::vector<session_ref>& list_of(std::uint32_t member);
    std::optional<std::size_t> least() const;
    void put(session_ref session, std::optional<std::size_t> member);
    std::vector<pool_move> place_all(std::vector<session_ref> sessions);

    std::vector<member_state> members_;
    /// Those that no member could take.
    std::vector<session_ref> without_;
    std::vector<place> places_; ///< by session
};

} // namespace flowtap::subscriber
