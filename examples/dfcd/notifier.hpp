// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <flowtap/config/radius_flow_tap.hpp>
#include <flowtap/core/address.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/core/descriptor.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/subscriber/mirroring.hpp>
#include <flowtap/transport/event_loop.hpp>

#include "engine_file.hpp"
#include "notification.hpp"
#include "trap_encoder.hpp"

namespace dfcd {

/// Notifications about subscribers, in datagrams: one for each user and target.
struct notifier_counters {
    std::uint64_t sent = 0;
    /// They could not be made or sent, or too many events waited.
    std::uint64_t not_sent = 0;
};

/// Sends what happens to subscribers as SNMPv3 traps to those whom the configuration entitles, and
/// waits for nobody: what cannot be sent at once is counted and forgotten. For the loop's thread.
class notifier {
public:
    /// Events that wait to be sent, at most.
    static constexpr std::size_t most_waiting = 4096;
    /// Datagrams that are sent before the loop does something else.
    static constexpr std::size_t most_at_once = 64;

    /// `engine_file`: where the engine is kept; looked at when somebody is to be notified. Errors:
    /// those of the operating system, `boot_engine` and `trap_encoder::make`.
    static flowtap::result<std::unique_ptr<notifier>>
    open(flowtap::transport::event_loop& loop, std::string engine_file,
         const flowtap::config::snmp_settings& with);
    notifier(const notifier&) = delete;
    notifier& operator=(const notifier&) = delete;

    /// Whom to notify from now on. Errors: as `open`; nobody is notified then.
    flowtap::result<void> apply(const flowtap::config::snmp_settings& with);
    void tell(const flowtap::subscriber::event& what, flowtap::time_stamp now);

    /// Where notifications leave from.
    std::vector<flowtap::endpoint> addresses() const;
    /// None while nobody was ever to be notified.
    const std::optional<snmp_engine>& engine() const noexcept { return engine_; }
    notifier_counters counters() const noexcept { return counters_; }

private:
    struct waiting {
        notification what;
        std::uint32_t uptime = 0;
    };
    struct family_socket {
        flowtap::descriptor socket;
        flowtap::endpoint local;
    };

    notifier(flowtap::transport::event_loop& loop, std::string engine_file);
    flowtap::result<void> open_sockets();
    flowtap::result<void> make_encoders(const std::vector<flowtap::config::snmp_user>& users);
    /// Datagrams that an event is.
    std::size_t copies() const noexcept { return encoders_.size() * with_.targets.size(); }
    void send_soon();
    void send_some();
    void send(const waiting& one);
    bool send_to(const flowtap::ip_address& target, const std::string& datagram) const;

    flowtap::transport::event_loop& loop_;
    const std::string engine_file_;
    const std::string router_;
    const flowtap::steady_time began_;
    std::optional<snmp_engine> engine_;
    flowtap::config::snmp_settings with_;
    std::vector<std::unique_ptr<trap_encoder>> encoders_;
    std::vector<family_socket> sockets_;
    std::deque<waiting> waiting_;
    bool is_posted_ = false;
    std::uint32_t number_ = 0;
    notifier_counters counters_;
    /// Gone when this is: what was posted does nothing then.
    std::shared_ptr<notifier*> self_;
};

} // namespace dfcd
