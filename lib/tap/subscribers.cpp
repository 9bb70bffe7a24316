// SPDX-License-Identifier: Apache-2.0
#include <flowtap/tap/subscribers.hpp>

namespace flowtap::tap {

mirror_port::~mirror_port() = default;
subscriber_service::~subscriber_service() = default;

} // namespace flowtap::tap
