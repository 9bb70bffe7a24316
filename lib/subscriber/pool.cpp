// SPDX-License-Identifier: Apache-2.0
#include <flowtap/subscriber/pool.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace flowtap::subscriber {

pool::member_state* pool::find(std::string_view member) {
    const auto found = std::find_if(members_.begin(), members_.end(),
                                    [&](const auto& one) { return one.what.name == member; });
    return found == members_.end() ? nullptr : &*found;
}

std::vector<session_ref>& pool::list_of(std::uint32_t member) {
    return member == nowhere ? without_ : members_[member].sessions;
}

std::optional<std::size_t> pool::least() const {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < members_.size(); ++i)
        if (!members_[i].failed &&
            (!best || members_[i].sessions.size() < members_[*best].sessions.size()))
            best = i;
    return best;
}

void pool::put(session_ref session, std::optional<std::size_t> member) {
    if (places_.size() <= session.value())
        places_.resize(session.value() + std::size_t{1});
    place& at = places_[session.value()];
    at.member = member ? static_cast<std::uint32_t>(*member) : nowhere;
    std::vector<session_ref>& list = list_of(at.member);
    at.position = static_cast<std::uint32_t>(list.size());
    list.push_back(session);
}

std::optional<std::size_t> pool::insert(session_ref session) {
    const std::optional<std::size_t> member = least();
    put(session, member);
    return member;
}

void pool::erase(session_ref session) {
    place& at = places_[session.value()];
    std::vector<session_ref>& list = list_of(at.member);
    const session_ref last = list.back();
    list[at.position] = last;
    places_[last.value()].position = at.position;
    list.pop_back();
    at = {};
}

std::optional<std::size_t> pool::member_of(session_ref session) const {
    if (session.value() >= places_.size() || places_[session.value()].member == nowhere)
        return std::nullopt;
    return places_[session.value()].member;
}

std::vector<pool_move> pool::place_all(std::vector<session_ref> sessions) {
    std::vector<pool_move> moves;
    moves.reserve(sessions.size());
    for (const session_ref session : sessions)
        moves.push_back({session, insert(session)});
    return moves;
}

std::vector<pool_move> pool::assign(std::vector<pool_member> members) {
    std::vector<member_state> next;
    for (pool_member& one : members) {
        member_state made;
        if (member_state* const before = find(one.name)) {
            made.sessions = std::move(before->sessions);
            before->sessions.clear();
            made.failed = before->failed;
        }
        made.what = std::move(one);
        next.push_back(std::move(made));
    }
    std::vector<session_ref> homeless = std::exchange(without_, {});
    for (member_state& gone : members_)
        homeless.insert(homeless.end(), gone.sessions.begin(), gone.sessions.end());
    members_ = std::move(next);
    for (std::size_t i = 0; i < members_.size(); ++i)
        for (const session_ref session : members_[i].sessions)
            places_[session.value()].member = static_cast<std::uint32_t>(i);
    return place_all(std::move(homeless));
}

std::vector<pool_move> pool::fail(std::string_view member) {
    member_state* const lost = find(member);
    if (lost == nullptr || std::exchange(lost->failed, true))
        return {};
    return place_all(std::exchange(lost->sessions, {}));
}

std::vector<pool_move> pool::recover(std::string_view member) {
    member_state* const back = find(member);
    if (back == nullptr || !std::exchange(back->failed, false))
        return {};
    return place_all(std::exchange(without_, {}));
}

} // namespace flowtap::subscriber
