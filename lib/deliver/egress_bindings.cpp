// SPDX-License-Identifier: Apache-2.0
#include <flowtap/deliver/egress_bindings.hpp>

#include <array>
#include <system_error>
#include <utility>
#include <vector>

#include "egress_members.hpp"

namespace flowtap::deliver {

using detail::binding_board;
using detail::egress_mailbox;
using detail::egress_member;

struct egress_bindings::state_of_all {
    struct binding {
        status what = status::absent;
        opening open;
        /// Of the members that workers may use still.
        std::vector<std::shared_ptr<binding_board>> boards;
        /// Of those that they do not.
        path::delivery_counters before;
    };

    void put(egress_mailbox& to, std::uint32_t number, std::unique_ptr<path::sink> sink) {
        auto made = std::make_shared<egress_member>(path::egress_id(number), std::move(sink));
        bindings[number].boards.push_back(made->board);
        to.newest.members[number] = std::move(made);
    }
    void take_away(std::uint32_t number) {
        for (const auto& each : mailboxes) {
            each->newest.members[number] = nullptr;
            each->offer();
        }
    }
    void free_unused();

    std::vector<std::shared_ptr<egress_mailbox>> mailboxes;
    std::array<binding, most + 1> bindings;
};

void egress_bindings::state_of_all::free_unused() {
    for (const auto& each : mailboxes)
        each->free_tables();
    std::erase_if(mailboxes, [](const auto& each) { return each->is_closed; });
    for (binding& each : bindings)
        std::erase_if(each.boards, [&each](const std::shared_ptr<binding_board>& board) {
            if (board.use_count() != 1)
                return false;
            each.before += board->read();
            return true;
        });
}

egress_bindings::egress_bindings() : state_(std::make_unique<state_of_all>()) {}
egress_bindings::~egress_bindings() = default;

result<std::unique_ptr<path::sink>>
egress_bindings::make_sink(std::unique_ptr<path::sink> otherwise) {
    auto box = std::make_shared<egress_mailbox>();
    state_->put(*box, 0, std::move(otherwise));
    for (std::uint32_t number = 1; number <= most; ++number) {
        if (state_->bindings[number].what != status::in_use)
            continue;
        auto opened = state_->bindings[number].open();
        if (!opened)
            return flowtap::fail(opened.error());
        state_->put(*box, number, std::move(*opened));
    }
    state_->mailboxes.push_back(box);
    return detail::make_egress_sink(std::move(box));
}

result<void> egress_bindings::set(path::egress_id binding, opening open) {
    const std::uint32_t number = binding.value();
    if (number == 0 || number > most)
        return flowtap::fail(std::make_error_code(std::errc::argument_out_of_domain));
    state_->free_unused();
    std::vector<std::unique_ptr<path::sink>> sinks;
    for (std::size_t i = 0; i < state_->mailboxes.size(); ++i) {
        auto opened = open();
        if (!opened)
            return flowtap::fail(opened.error());
        sinks.push_back(std::move(*opened));
    }
    for (std::size_t i = 0; i < sinks.size(); ++i) {
        state_->put(*state_->mailboxes[i], number, std::move(sinks[i]));
        state_->mailboxes[i]->offer();
    }
    state_->bindings[number].what = status::in_use;
    state_->bindings[number].open = std::move(open);
    return {};
}

void egress_bindings::fail(path::egress_id binding) {
    if (state(binding) != status::in_use)
        return;
    state_->bindings[binding.value()].what = status::failed;
    state_->take_away(binding.value());
    state_->free_unused();
}

result<void> egress_bindings::restore(path::egress_id binding) {
    if (state(binding) == status::absent)
        return flowtap::fail(std::make_error_code(std::errc::argument_out_of_domain));
    return set(binding, state_->bindings[binding.value()].open);
}

void egress_bindings::remove(path::egress_id binding) {
    if (state(binding) == status::absent)
        return;
    state_->bindings[binding.value()].what = status::absent;
    state_->bindings[binding.value()].open = nullptr;
    state_->take_away(binding.value());
    state_->free_unused();
}

egress_bindings::status egress_bindings::state(path::egress_id binding) const noexcept {
    const std::uint32_t number = binding.value();
    return number == 0 || number > most ? status::absent : state_->bindings[number].what;
}

bool egress_bindings::settled() {
    state_->free_unused();
    for (const auto& each : state_->mailboxes)
        if (each->offered.load(std::memory_order_acquire) != nullptr)
            return false;
    return true;
}

path::delivery_counters egress_bindings::counters(path::egress_id binding) {
    if (binding.value() > most)
        return {};
    state_->free_unused();
    const state_of_all::binding& its = state_->bindings[binding.value()];
    path::delivery_counters sum = its.before;
    for (const auto& each : its.boards)
        sum += each->read();
    return sum;
}

} // namespace flowtap::deliver
