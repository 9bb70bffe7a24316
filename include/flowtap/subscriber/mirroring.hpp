// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/packet/intercept_id.hpp>
#include <flowtap/subscriber/api.hpp>
#include <flowtap/subscriber/directory.hpp>
#include <flowtap/subscriber/pool.hpp>
#include <flowtap/tap/subscribers.hpp>

namespace flowtap::subscriber {

/// What happened to a subscriber whom an intercept is about; of others nothing is told.
enum class event_kind : std::uint8_t {
    logged_in,
    login_failed,      ///< there was no room for the session
    logged_out,        ///< and is not mirrored any more
    activated,         ///< the session is mirrored from now on
    activation_failed, ///< RADIUS or DTCP asked for it, and it is not mirrored (yet)
    deactivated,       ///< RADIUS or DTCP asked for it, and it is not mirrored any more
    mirroring_failed,  ///< the session was mirrored or is to be, and is not for now
};

/// One event. What is referred to is valid during the call only.
struct event {
    event_kind kind = event_kind::logged_in;
    const session_record& session;
    /// Who asked for the intercept: a control source of DTCP; empty for RADIUS.
    std::string_view control_source;
    /// Of `control_source`; zero for RADIUS.
    tap::trigger_number trigger;
    packet::mirror_id id;
    /// Of what failed.
    std::error_code reason;
    /// What the criterion looks for, and with which value; for RADIUS, which names a session, none.
    std::optional<tap::session_trait> trait;
    std::string_view value;
    /// Where the copies go, the first of them.
    ip_address destination;
};

/// Hears of events, in the thread that causes them. Must not call back.
class event_listener {
public:
    event_listener() = default;
    event_listener(const event_listener&) = delete;
    event_listener& operator=(const event_listener&) = delete;
    virtual void on_event(const event& what, time_stamp now) = 0;

protected:
    ~event_listener() = default;
};

/// LI-Action (vendor 4874, attribute 58), with its numbers.
enum class li_action : std::uint8_t {
    off = 0,
    on = 1,
    no_op = 2, ///< answered as `on` and nothing is mirrored
};

/// What RADIUS asks to mirror, beside the session: Med-Dev-Handle, Med-Ip-Address, Med-Port-Number.
struct radius_request {
    packet::mirror_id id;
    endpoint destination;

    friend bool operator==(const radius_request&, const radius_request&) = default;
};

/// What holds for all mirroring.
struct mirroring_settings {
    /// Subscriber sessions, mirrored or not.
    std::size_t sessions = directory::default_limit;
    /// Sessions that are mirrored at a time.
    std::size_t mirrored = 2048;
    /// Criteria of DTCP at a time, and logins that RADIUS has announced.
    std::size_t triggers = 16'384;
    /// `source-ipv4-address`.
    std::optional<ip_address> source_address;
    /// None: that of the packet copied.
    std::optional<std::uint8_t> dscp;
    /// Empty: copies leave as the routing table says.
    std::vector<pool_member> pool;
    /// Of triggers that name none.
    std::string routing_instance;
    std::map<std::string, std::shared_ptr<const path::drop_policy>, std::less<>> drop_policies;
};

/// How many of what there are, for status and metrics.
struct mirroring_status {
    std::size_t sessions = 0;
    /// Sessions that an intercept has, and those of them that cannot be mirrored for now.
    std::size_t mirrored = 0;
    std::size_t waiting = 0;
    std::size_t triggers = 0;
    /// Sessions by member of the pool, in its order.
    std::vector<std::size_t> members;
    std::uint64_t logins = 0;
    std::uint64_t logouts = 0;
    std::uint64_t refused_sessions = 0;
    std::uint64_t failures = 0;
};

/// Decides which subscriber sessions are mirrored, for whom and through which member of the pool,
/// and has them mirrored.
///
/// A session has one intercept at a time. Where several apply, the one that came first to the
/// session keeps it until it is removed, and then the next one takes it over; at a login RADIUS
/// comes before DTCP, and older criteria of DTCP before newer ones.
///
/// A login or logout takes the same time however many sessions there are, and logarithmic time in
/// the triggers. For one thread at a time, that of the mirror port.
class FLOWTAP_SUBSCRIBER_API mirroring final : public tap::subscriber_service {
public:
    mirroring(mirroring_settings with, event_listener& events);
    ~mirroring();

    /// Where mirrors go, from now on; before that nothing is mirrored. It must outlive this.
    void attach(tap::mirror_port& port);
    /// What is mirrored goes on, as it is to be from now on.
    void apply(mirroring_settings with, time_stamp now);

    // The subscribers' sessions.

    /// A session has begun or goes on: all that is known of it now. What was said before of the
    /// same identity is replaced. Errors: `errc::invalid_session`, `errc::too_many_sessions`.
    result<void> put_session(session_record what, time_stamp now);
    /// A session has ended; one that is not known is ignored.
    void end_session(const session_identity& which, time_stamp now);
    /// All sessions of a network element have ended (Accounting-On and -Off). Returns how many.
    std::size_t end_sessions(std::string_view element, time_stamp now);

    /// All sessions there are. Returns how many.
    std::size_t end_all_sessions(time_stamp now);

    // RADIUS.

    /// A change of authorization. Errors: `errc::unknown_session`, `errc::no_session_number`,
    /// `tap::errc::too_many_subscribers`, `tap::errc::no_source_address`. `asked` is looked at
    /// unless the action is off. That another intercept has the session is no error: this one gets
    /// it next.
    result<void> authorize(session_ref which, li_action action, const radius_request& asked,
                           time_stamp now);
    /// The same at a login (Access-Accept), before the session has begun: kept for `announced_for`.
    /// Errors: `tap::errc::too_many_subscribers`.
    result<void> authorize_login(const session_identity& which, li_action action,
                                 const radius_request& asked, time_stamp now);
    static constexpr std::chrono::minutes announced_for{10};

    // DTCP: for the access point.

    result<void> check(const tap::subscriber_request& asked) const override;
    void add(const tap::subscriber_request& asked, time_stamp now) override;
    void remove(tap::trigger_number which, time_stamp now) override;
    bool knows_drop_policy(std::string_view name) const override;
    void drop(tap::trigger_number which, std::optional<std::string> policy,
              time_stamp now) override;

    // The pool.

    /// A member of the pool can be used, or cannot.
    void set_member(std::string_view name, bool usable, time_stamp now);

    const directory& sessions() const noexcept;
    /// The member that a session's copies leave through; none if it is not mirrored.
    std::optional<std::size_t> member_of(session_ref session) const;
    mirroring_status state() const;

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

} // namespace flowtap::subscriber
