// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <flowtap/core/clock.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/tap/api.hpp>

namespace flowtap::tap {

/// What an audit record is about.
enum class audit_event : std::uint8_t {
    login,   ///< a session was opened
    logout,  ///< a session ended
    refusal, ///< a login or a request was refused without an answer
    add,
    remove, ///< DELETE
    refresh,
    list,
    noop,
    enable,
    disable,
    commit,   ///< a configuration was applied
    expiry,   ///< a timeout deleted a criterion
    purge,    ///< a criterion was deleted by something else than its owner
    start,    ///< the access point started
    stop,     ///< the access point stopped
    sequence, ///< a sequence number rolled over, or was reset
    rotation, ///< the log goes on in another file
    chain,    ///< of the log itself: its chain begins, or went on after a line was not finished
    authorization, ///< RADIUS asked to mirror a subscriber's session, or to end that
    subscriber,    ///< something became of a subscriber whom an intercept is about
};

/// The word that stands for an event in the log: "login", "add", ...
FLOWTAP_TAP_API std::string_view to_string(audit_event event);

/// One line of the audit log: who did what to which criterion, when, from where, with what result.
struct audit_record {
    wall_time time;
    audit_event event = audit_event::login;
    /// The login, or the control source's name.
    std::string principal;
    /// Where the request came from, as an address and port.
    std::string peer;
    /// The criterion, if there is exactly one; 0 otherwise.
    std::uint32_t criterion = 0;
    /// Criteria concerned.
    std::uint64_t count = 0;
    /// The DTCP status code that was, or (497, 498, 499) would have been, the answer; 0 for none.
    std::uint16_t status = 0;
    /// Anything else, in words.
    std::string detail;
};

/// Where audit records go. Called on the control side's thread, before the answer is sent.
class FLOWTAP_TAP_API audit_log {
public:
    audit_log() = default;
    audit_log(const audit_log&) = delete;
    audit_log& operator=(const audit_log&) = delete;
    virtual ~audit_log();

    /// Writes one record for good. When this fails, tasking is refused (status 500).
    virtual result<void> write(const audit_record& record) = 0;
};

} // namespace flowtap::tap
