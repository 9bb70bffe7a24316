// SPDX-License-Identifier: Apache-2.0
#include <flowtap/path/delivery_ledger.hpp>
#include <flowtap/path/sink.hpp>
#include <flowtap/path/source.hpp>

namespace flowtap::path {

// The key functions of the interfaces: their type information is here and nowhere else.
source::~source() = default;

sink::sink() : own_(std::make_unique<delivery_ledger>()), ledger_(own_.get()) {}
sink::~sink() = default;
copy_review::~copy_review() = default;

void sink::withdraw(const copy_review&, drop_cause) noexcept {}

delivery_counters sink::counters() const noexcept {
    return ledger_->totals();
}

} // namespace flowtap::path
