// SPDX-License-Identifier: Apache-2.0
//
// In the place of trap_encoder.cpp where there is no net-snmp.
#include "error.hpp"
#include "trap_encoder.hpp"

namespace dfcd {

struct trap_encoder::implementation {};

flowtap::result<void> check_snmp(const flowtap::config::snmp_settings& with) {
    if (!with.targets.empty())
        return flowtap::fail(errc::no_snmp);
    return {};
}

flowtap::result<std::unique_ptr<trap_encoder>>
trap_encoder::make(const snmp_engine&, const flowtap::config::snmp_user&) {
    return flowtap::fail(errc::no_snmp);
}

trap_encoder::~trap_encoder() = default;

std::string trap_encoder::encode(const notification&, std::uint32_t, std::uint32_t) const {
    return {};
}

} // namespace dfcd
