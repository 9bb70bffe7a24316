// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <flowtap/path/snapshot.hpp>

namespace flowtap::path {

rate_gate::rate_gate(std::uint64_t packets_per_second) noexcept : rate_(packets_per_second) {}

std::uint64_t rate_gate::take(std::uint64_t count, steady_time) noexcept {
    return rate_ == 0 ? 0 : count;
}

void input_gates::set(port_id port, std::shared_ptr<rate_gate> gate) {
    if (port.value() >= gates_.size())
        gates_.resize(std::size_t{port.value()} + 1);
    gates_[port.value()] = std::move(gate);
}

} // namespace flowtap::path
