// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <flowtap/config/radius_flow_tap.hpp>
#include <flowtap/core/result.hpp>

#include "engine_file.hpp"
#include "notification.hpp"

namespace dfcd {

/// Whether dfcd was built with what `trap_encoder` needs. Errors: `errc::no_snmp`.
flowtap::result<void> check_snmp(const flowtap::config::snmp_settings& with);

/// Makes SNMPv3 traps for one user, with security level authPriv (RFC 3414, RFC 3826, RFC 7860).
/// One for each name at a time, all of one engine, and all in one thread. No file of the machine's
/// SNMP agent is read or written.
class trap_encoder {
public:
    /// Errors: `errc::no_snmp`; `errc::unusable_snmp_user`.
    static flowtap::result<std::unique_ptr<trap_encoder>>
    make(const snmp_engine& of, const flowtap::config::snmp_user& who);
    ~trap_encoder();
    trap_encoder(const trap_encoder&) = delete;
    trap_encoder& operator=(const trap_encoder&) = delete;

    /// A datagram; empty if it cannot be made. `uptime`: sysUpTime, in hundredths of a second.
    /// `number` tells one trap of the engine from another.
    std::string encode(const notification& what, std::uint32_t uptime, std::uint32_t number) const;

private:
    struct implementation;
    explicit trap_encoder(std::unique_ptr<implementation> with);
    std::unique_ptr<implementation> implementation_;
};

} // namespace dfcd
