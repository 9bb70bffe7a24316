// SPDX-License-Identifier: Apache-2.0
#include <flowtap/path/sink.hpp>
#include <flowtap/path/source.hpp>

namespace flowtap::path {

// The key functions of the interfaces: their type information is here and nowhere else.
source::~source() = default;
sink::~sink() = default;
copy_review::~copy_review() = default;

void sink::withdraw(const copy_review&, drop_cause) noexcept {}

} // namespace flowtap::path
