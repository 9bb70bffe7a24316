// SPDX-License-Identifier: Apache-2.0
// In the place of acl.cpp where DPDK is not there.
#include "side.hpp"

namespace flowtap::bench {

std::unique_ptr<side> make_acl(const workload&, std::string_view) {
    return nullptr;
}

std::string acl_version() {
    return {};
}

} // namespace flowtap::bench
