// SPDX-License-Identifier: Apache-2.0
#include "datagrams.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include <flowtap/dtcp/authentication.hpp>
#include <flowtap/dtcp/writer.hpp>
#include <flowtap/tap/error.hpp>

namespace flowtap::tap {

namespace {

bool admits(const udp_access& access, const endpoint& from, const endpoint& at) {
    const auto is_sender = [&](const ip_prefix& block) { return block.contains(from.address); };
    return (access.ports.empty() ||
            std::find(access.ports.begin(), access.ports.end(), at.port) != access.ports.end()) &&
           (access.source_addresses.empty() ||
            std::any_of(access.source_addresses.begin(), access.source_addresses.end(), is_sender));
}

} // namespace

datagrams::reply::reply(control_source& of, const endpoint& asked_from, const endpoint& asked_at,
                        answer with)
    : source(&of), from(asked_from), at(asked_at), given(std::move(with)) {
    ++source->replies_waiting;
}

datagrams::datagrams(control& state, std::deque<effect>& out)
    : state_(&state), out_(&out), hash_of_nobody_(state.make_hash("nobody")),
      refusals_(state.audit) {}

void datagrams::feed(const endpoint& from, const endpoint& at, byte_view octets, time_stamp now) {
    ++state_->counts.datagrams;
    if (const auto message = message_of(octets))
        take(from, at, *message, now);
    else
        drop(message.error(), "", from, now);
}

result<std::string_view> datagrams::message_of(byte_view octets) {
    framer_.clear();
    const auto used = framer_.put(octets);
    if (!used)
        return fail(used.error());
    if (!framer_.complete())
        return fail(dtcp::errc::incomplete_message);
    if (*used != octets.size())
        return fail(errc::trailing_octets);
    return framer_.message();
}

void datagrams::take(const endpoint& from, const endpoint& at, std::string_view message,
                     time_stamp now) {
    ++state_->counts.requests;
    const auto envelope = dtcp::parse_envelope(message);
    if (!envelope)
        return refuse({{}, &status::malformed, envelope.error()}, "", from, now);
    control_source* const source = find_source(*envelope, from, at);
    if (source == nullptr) {
        // It takes as long as if there were one: who has an answer of his own wait behind this
        // would learn the names of others.
        static_cast<void>(dtcp::verify(*envelope, *hash_of_nobody_));
        return refuse(
            {dtcp::status_code::unknown_control_source, &status::unknown_sources,
             error(dtcp::errc::unknown_control_source, envelope->csource_id.value_or(""))},
            "", from, now);
    }
    const std::string peer = to_string(from);
    const requester who{*source, peer, from.address, channel_kind::datagram};
    if (const auto failed = authenticate(who, *envelope))
        return refuse(*failed, source->name(), from, now);
    // Before the sequence number is taken: the client may send the same request again.
    if (!has_room(*source))
        return drop(error(make_error_code(errc::too_many_replies)), source->name(), from, now);
    if (!backlog_.must_wait(source->id()) || !envelope->sequence)
        return serve_now(who, at, from, *envelope, now);
    const dtcp::sequence_window& numbers = source->sequence.windows();
    // A replay has no place to take away.
    if (checks_sequence(who))
        if (const auto refused = refuse_sequence(
                backlog_.check(source->id(), *envelope->sequence, numbers), *envelope))
            return refuse(*refused, source->name(), from, now);
    if (!backlog_.put(source->id(), {from, at, *envelope->sequence, std::string(message)}, numbers))
        drop(error(make_error_code(errc::too_many_replies)), source->name(), from, now);
}

void datagrams::serve_now(const requester& who, const endpoint& at, const endpoint& from,
                          const dtcp::envelope& message, time_stamp now) {
    auto served = serve(*state_, who, message, now);
    if (const auto* failed = std::get_if<refusal>(&served))
        return refuse(*failed, who.source.name(), from, now);
    handled& done = std::get<handled>(served);
    backlog_.charge(who.source.id(), done.work);
    put(who.source, from, at, std::move(done.given));
}

void datagrams::serve_backlog(time_stamp now) {
    backlog_.begin_turn();
    while (const auto next = backlog_.take()) {
        const auto& [number, request] = *next;
        const auto envelope = dtcp::parse_envelope(request.message);
        const std::string peer = to_string(request.from);
        const requester who{*state_->sources.find(number), peer, request.from.address,
                            channel_kind::datagram};
        serve_now(who, request.at, request.from, *envelope, now);
    }
}

control_source* datagrams::find_source(const dtcp::envelope& message, const endpoint& from,
                                       const endpoint& at) const {
    if (!message.csource_id)
        return nullptr;
    // The defaults are for logins: over UDP nobody exists but by name.
    const auto configured = state_->with.sources.find(*message.csource_id);
    if (configured == state_->with.sources.end() || !configured->second.udp ||
        !admits(*configured->second.udp, from, at))
        return nullptr;
    return &state_->sources.enter(configured->first);
}

bool datagrams::has_room(const control_source& of) const noexcept {
    const std::size_t waiting = of.replies_waiting + backlog_.size(of.id());
    return waiting == 0 ||
           (waiting < replies_per_source && waiting_.size() + list_count_ < replies_in_all);
}

void datagrams::refuse(const refusal& reason, std::string_view principal, const endpoint& from,
                       time_stamp now) {
    ++(state_->counts.*reason.counter);
    refusals_.write(principal, to_string(from), note_of(reason), now);
}

void datagrams::drop(const error& reason, std::string_view principal, const endpoint& from,
                     time_stamp now) {
    refuse({{}, &status::datagrams_dropped, reason}, principal, from, now);
}

void datagrams::put(control_source& source, const endpoint& from, const endpoint& at,
                    answer given) {
    if (given.list) {
        lists_[source.id()].emplace_back(source, from, at, std::move(given));
        ++list_count_;
    } else if (is_due(given, state_->published)) {
        send(source, from, at, given);
    } else {
        waiting_.emplace_back(source, from, at, std::move(given));
    }
}

void datagrams::send(const control_source& source, const endpoint& from, const endpoint& at,
                     const answer& given) {
    send_datagram made{at, from, {}};
    dtcp::write_response(made.octets, given.head, *source.hash);
    out_->emplace_back(std::move(made));
}

void datagrams::turn(time_stamp now) {
    last_turn_ = now.steady;
    for (auto at = waiting_.begin(); at != waiting_.end();) {
        if (!is_due(at->given, state_->published)) {
            ++at;
            continue;
        }
        at->given.head.timestamp = now.wall;
        send(*at->source, at->from, at->at, at->given);
        at = waiting_.erase(at);
    }
    serve_backlog(now);
    continue_lists();
    refusals_.flush(now);
}

void datagrams::continue_lists() {
    for (std::size_t made = 0; made < list_datagrams_per_turn && !held_ && !lists_.empty();
         ++made) {
        auto next = lists_.upper_bound(last_listed_);
        if (next == lists_.end())
            next = lists_.begin();
        last_listed_ = next->first;
        reply& first = next->second.front();
        send_datagram part{first.at, first.from, {}};
        const bool more = first.given.list->produce_datagram(part.octets);
        out_->emplace_back(std::move(part));
        if (more)
            continue;
        next->second.pop_front();
        --list_count_;
        if (next->second.empty())
            lists_.erase(next);
    }
}

std::optional<steady_time> datagrams::deadline() const {
    if ((!lists_.empty() && !held_) || !backlog_.empty())
        return last_turn_;
    return refusals_.deadline();
}

void datagrams::forget_requests(const control_source& whose) {
    state_->counts.datagrams_dropped += backlog_.size(whose.id());
    backlog_.forget(whose.id());
}

void datagrams::forget(const control_source& whose) {
    forget_requests(whose);
    waiting_.remove_if([&](const reply& one) { return one.source == &whose; });
    const auto listed = lists_.find(whose.id());
    if (listed == lists_.end())
        return;
    list_count_ -= listed->second.size();
    lists_.erase(listed);
}

} // namespace flowtap::tap
