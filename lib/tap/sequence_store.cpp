// SPDX-License-Identifier: Apache-2.0
#include <flowtap/tap/sequence_store.hpp>

namespace flowtap::tap {

sequence_store::~sequence_store() = default;

} // namespace flowtap::tap
