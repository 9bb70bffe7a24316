// SPDX-License-Identifier: Apache-2.0
#include <flowtap/tap/access_point.hpp>

#include "implementation.hpp"

namespace flowtap::tap {

access_point::access_point(settings with, surroundings around)
    : implementation_(std::make_unique<implementation>(std::move(with), std::move(around))) {}

access_point::~access_point() = default;

result<session_id> access_point::open(const permission::principal& who, std::string peer,
                                      time_stamp now) {
    return implementation_->open(who, std::move(peer), now);
}

std::size_t access_point::feed(session_id session, byte_view octets, time_stamp now) {
    return implementation_->feed(session, octets, now);
}

std::size_t access_point::read(session_id session, std::span<char> room, time_stamp now) {
    return implementation_->read(session, room, now);
}

void access_point::finish(session_id session) {
    implementation_->finish(session);
}

void access_point::close(session_id session, time_stamp now) {
    implementation_->close(session, now);
}

void access_point::turn(time_stamp now) {
    implementation_->turn(now);
}

std::optional<effect> access_point::next_effect() {
    return implementation_->next_effect();
}

std::optional<steady_time> access_point::deadline() const {
    return implementation_->deadline();
}

void access_point::apply(settings with,
                         const std::function<bool(std::string_view source)>& is_permitted,
                         time_stamp now) {
    implementation_->apply(std::move(with), is_permitted, now);
}

void access_point::feed_datagram(const endpoint& from, const endpoint& at, byte_view octets,
                                 time_stamp now) {
    implementation_->feed_datagram(from, at, octets, now);
}

void access_point::hold_datagrams(bool held) {
    implementation_->hold_datagrams(held);
}

void access_point::withdraw(std::string_view source, time_stamp now) {
    implementation_->withdraw(source, now);
}

void access_point::announce_start(std::string_view reason, time_stamp now) {
    implementation_->announce_start(reason, now);
}

bool access_point::reset_sequence(std::string_view source, time_stamp now) {
    return implementation_->reset_sequence(source, now);
}

bool access_point::save_sequences() {
    return implementation_->save_sequences();
}

void access_point::restart(time_stamp now) {
    implementation_->restart(now);
}

std::vector<kernel_filter_status> access_point::kernel_filter_states() const {
    return implementation_->kernel_filter_states();
}

mirror_port& access_point::mirrors() noexcept {
    return implementation_->mirrors();
}

status access_point::state() const {
    return implementation_->state();
}

} // namespace flowtap::tap
