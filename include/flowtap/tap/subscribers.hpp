// SPDX-License-Identifier: Apache-2.0
// What lies between an access point and whoever knows the subscribers: module subscriber, or a
// product's own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/packet/encapsulation.hpp>
#include <flowtap/packet/intercept_id.hpp>
#include <flowtap/path/action_table.hpp>
#include <flowtap/tap/api.hpp>

namespace flowtap::tap {

/// Names a mirror. Never reused; zero is none.
using mirror_number = strong_id<struct mirror_number_tag, std::uint64_t>;

/// Names a subscriber criterion of the access point, which DTCP added. Zero is none.
using trigger_number = strong_id<struct trigger_number_tag, std::uint64_t>;

/// What is copied of one subscriber's session, and where to: the packets from and to its addresses,
/// each once at each destination.
struct mirror {
    /// The criterion that it is for, whose statistics and idle timeout its packets count towards;
    /// none if RADIUS asked for it. A mirror is in no LIST, and in no limit on criteria.
    trigger_number asked_for;
    /// IPv4 addresses and IPv6 prefixes, in any order.
    std::vector<ip_prefix> addresses;
    family_set families = family_set(family::inet) | family::inet6;
    /// With its unit. In the place of addresses, where there are none: what comes in and goes out
    /// through it.
    std::string interface;
    /// Whose packets these are; empty for the default one.
    std::string routing_instance;
    /// One or two, all with the same mirror header.
    std::vector<packet::encapsulation> copies;
    path::egress_id egress;
    /// A packet that it names is not copied. Null: there is none.
    std::shared_ptr<const path::drop_policy> drops;

    friend bool operator==(const mirror&, const mirror&) = default;
};

/// The mirrors in the data path: what an access point offers to whoever knows the subscribers. All
/// that is done here comes into force with the next publication as a whole, so a mirror that
/// changes loses nothing and copies nothing twice. For the access point's thread.
class FLOWTAP_TAP_API mirror_port {
public:
    mirror_port() = default;
    mirror_port(const mirror_port&) = delete;
    mirror_port& operator=(const mirror_port&) = delete;

    /// Errors: `errc::interface_not_configured`, `errc::vrf_not_configured`, `errc::no_traffic` (it
    /// has neither addresses nor an interface), `errc::out_of_resources`, those of
    /// `packet::header_template::make`. Nothing is mirrored then.
    virtual result<mirror_number> add_mirror(const mirror& what) = 0;
    /// Puts `what` in its place. Errors: those of `add_mirror`, and the mirror is gone.
    virtual result<void> change_mirror(mirror_number which, const mirror& what) = 0;
    virtual void remove_mirror(mirror_number which) = 0;

protected:
    ~mirror_port();
};

/// Which attribute of a subscriber's session a criterion looks for.
enum class session_trait : std::uint8_t {
    user_name,
    accounting_session, ///< Acct-Session-Id
    address,            ///< an address that is the session's or lies in a prefix of it
    interface,
    nas_port_id,
    circuit_id,
    remote_id,
    calling_station,
};
inline constexpr std::size_t session_trait_count = 8;

/// Which subscribers are meant.
struct trigger {
    session_trait by = session_trait::user_name;
    std::string value;
    /// None: the default ones.
    std::optional<std::string> logical_system;
    std::optional<std::string> routing_instance;

    friend bool operator==(const trigger&, const trigger&) = default;
};

/// Where the copies of a subscriber's packets go.
struct mirror_copy {
    endpoint destination;
    /// None: as the configuration says.
    std::optional<ip_address> source_address;
    std::optional<std::uint16_t> source_port;
    std::uint8_t ttl = 255;

    friend bool operator==(const mirror_copy&, const mirror_copy&) = default;
};

/// What an ADD with X-MD-Intercept-Id asks for.
struct subscriber_request {
    /// Names it from here on.
    trigger_number number;
    /// For the audit log.
    std::string control_source;
    packet::mirror_id id;
    trigger subscribers;
    /// What of the subscribers' packets is meant.
    family_set families = family_set(family::inet) | family::inet6;
    /// One or two.
    std::vector<mirror_copy> copies;
    /// X-Drop-Policy; none: everything is copied.
    std::optional<std::string> drop_policy;
};

/// Who knows the subscribers, as an access point needs it. It acts on the access point through a
/// `mirror_port`, within these calls and at other times.
class FLOWTAP_TAP_API subscriber_service {
public:
    subscriber_service() = default;
    subscriber_service(const subscriber_service&) = delete;
    subscriber_service& operator=(const subscriber_service&) = delete;

    /// Whether `add` would do it. Errors: `errc::too_many_subscribers`, `errc::no_source_address`,
    /// `errc::unknown_drop_policy`, and `flowtap::errc::mixed_families`.
    virtual result<void> check(const subscriber_request& asked) const = 0;
    /// Mirrors the sessions that there are and those that come. Called when `check` found nothing
    /// wrong and nothing has changed since.
    virtual void add(const subscriber_request& asked, time_stamp now) = 0;
    /// Nothing of it is mirrored any more.
    virtual void remove(trigger_number which, time_stamp now) = 0;
    virtual bool knows_drop_policy(std::string_view name) const = 0;
    /// ENABLE with the name of a policy that is known; DISABLE with none.
    virtual void drop(trigger_number which, std::optional<std::string> policy, time_stamp now) = 0;

protected:
    ~subscriber_service();
};

} // namespace flowtap::tap
