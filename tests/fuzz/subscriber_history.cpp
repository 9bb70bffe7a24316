// SPDX-License-Identifier: Apache-2.0
// Histories of sessions, requests and members of a pool: what holds after each step.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include <flowtap/core/bytes.hpp>
#include <flowtap/subscriber/mirroring.hpp>
#include <flowtap/tap/error.hpp>

namespace {

using namespace flowtap;
using namespace flowtap::subscriber;

/// Mirrors in memory, of which every seventh is refused.
class memory_port final : public tap::mirror_port {
public:
    result<tap::mirror_number> add_mirror(const tap::mirror& what) override {
        const tap::mirror_number number{++last};
        if (what.addresses.empty() || last % 7 == 0)
            return fail(tap::errc::no_traffic);
        mirrors.emplace(number, what);
        return number;
    }
    result<void> change_mirror(tap::mirror_number which, const tap::mirror& what) override {
        mirrors.at(which) = what;
        if (!what.addresses.empty())
            return {};
        mirrors.erase(which);
        return fail(tap::errc::no_traffic);
    }
    void remove_mirror(tap::mirror_number which) override {
        if (mirrors.erase(which) != 1)
            std::abort();
    }

    std::map<tap::mirror_number, tap::mirror> mirrors;
    std::uint64_t last = 0;
};

class nobody final : public event_listener {
    void on_event(const event&, time_stamp) override {}
};

/// The octets as choices; zeros behind their end.
class choices {
public:
    explicit choices(byte_view octets) : rest_(octets) {}
    bool empty() const noexcept { return rest_.empty(); }
    std::uint8_t take() {
        if (rest_.empty())
            return 0;
        const auto octet = std::to_integer<std::uint8_t>(rest_.front());
        rest_ = rest_.subspan(1);
        return octet;
    }
    /// Short texts, so that they meet.
    std::string text() {
        const std::uint8_t choice = take();
        return choice % 5 == 0 ? std::string() : std::string(choice % 3 + 1U, 'a' + choice % 2);
    }

private:
    byte_view rest_;
};

mirroring_settings settings_from(choices& from) {
    mirroring_settings with;
    with.sessions = 12;
    with.mirrored = 5;
    with.triggers = 9;
    with.source_address = ip_address::v4(0xC6336409);
    for (std::uint8_t members = from.take() % 4; members != 0; --members) {
        with.pool.emplace_back();
        with.pool.back().name = std::string(1, static_cast<char>('a' + from.take() % 4));
    }
    // No name stands there twice.
    std::set<std::string> names;
    std::erase_if(with.pool,
                  [&](const pool_member& one) { return !names.insert(one.name).second; });
    return with;
}

session_record session_from(choices& from) {
    session_record made;
    made.identity = {from.text(), from.text()};
    made.user_name = from.text();
    made.nas_port_id = from.text();
    made.routing_instance = from.take() % 8 == 0 ? "v" : "";
    for (std::uint8_t count = from.take() % 4; count != 0; --count)
        made.addresses.push_back({ip_address::v4(0x0A000000U + from.take() % 16),
                                  static_cast<std::uint8_t>(28 + from.take() % 5)});
    return made;
}

tap::subscriber_request request_from(choices& from, std::uint64_t number) {
    tap::subscriber_request made;
    made.number = tap::trigger_number{number};
    made.control_source = "lea";
    made.id.session_id = from.take();
    made.copies.emplace_back();
    made.copies.back().destination = {ip_address::v4(0xC0000205), 6502};
    made.subscribers.by = static_cast<tap::session_trait>(from.take() % tap::session_trait_count);
    made.subscribers.value = made.subscribers.by == tap::session_trait::address
                                 ? to_string(ip_address::v4(0x0A000000U + from.take() % 16))
                                 : "a" + from.text();
    return made;
}

void check(const mirroring& all, const memory_port& port) {
    const mirroring_status now = all.state();
    std::size_t placed = 0;
    for (const std::size_t count : now.members)
        placed += count;
    if (now.mirrored > 5 || port.mirrors.size() > now.mirrored || placed > now.mirrored ||
        now.sessions != all.sessions().size())
        std::abort();
}

void step(mirroring& all, choices& from, std::uint64_t& triggers, time_stamp& now) {
    now.steady += std::chrono::minutes(from.take() % 3);
    switch (from.take() % 8) {
    case 0:
    case 1:
        static_cast<void>(all.put_session(session_from(from), now));
        break;
    case 2:
        all.end_session({from.text(), from.text()}, now);
        break;
    case 3:
        if (const auto known = all.sessions().find({from.text(), from.text()}))
            static_cast<void>(all.authorize(*known, static_cast<li_action>(from.take() % 3),
                                            {{7, 9}, {ip_address::v4(0xC0000206), 1}}, now));
        break;
    case 4:
        static_cast<void>(all.authorize_login({from.text(), from.text()},
                                              static_cast<li_action>(from.take() % 3),
                                              {{7, 9}, {ip_address::v4(0xC0000206), 1}}, now));
        break;
    case 5: {
        const tap::subscriber_request asked = request_from(from, triggers + 1);
        if (all.check(asked)) {
            ++triggers;
            all.add(asked, now);
        }
        break;
    }
    case 6:
        all.remove(tap::trigger_number{from.take() % (triggers + 1)}, now);
        break;
    default:
        if (from.take() % 3 == 0)
            all.apply(settings_from(from), now);
        else
            all.set_member(std::string(1, static_cast<char>('a' + from.take() % 4)),
                           from.take() % 2 == 0, now);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    choices from(std::as_bytes(std::span(data, size)));
    nobody events;
    memory_port port;
    mirroring all(settings_from(from), events);
    all.attach(port);
    std::uint64_t triggers = 0;
    time_stamp now{};
    while (!from.empty()) {
        step(all, from, triggers, now);
        check(all, port);
    }
    all.end_all_sessions(now);
    if (!port.mirrors.empty() || all.state().mirrored != 0)
        std::abort();
    return 0;
}
