// SPDX-License-Identifier: Apache-2.0
// Feeds the input to two sessions of an access point: as raw octets, and as requests that the
// harness signs, so that what lies behind the authentication is reached. Whatever comes out must be
// whole, signed answers.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <flowtap/dtcp/reader.hpp>
#include <flowtap/dtcp/writer.hpp>
#include <flowtap/tap/access_point.hpp>

namespace {

using namespace flowtap;

/// Not a cryptographic one: the fuzzer could not do more with that, either.
class weak_hash final : public dtcp::keyed_hash {
public:
    void reset() override { state_ = 14695981039346656037U; }
    void update(byte_view octets) override {
        for (const std::byte octet : octets)
            state_ = (state_ ^ static_cast<std::uint64_t>(octet)) * 1099511628211U;
    }
    dtcp::digest finish() override {
        dtcp::digest value{};
        for (std::size_t i = 0; i < value.size(); ++i)
            value[i] = static_cast<std::byte>(state_ >> (i % 8 * 8));
        return value;
    }

private:
    std::uint64_t state_ = 0;
};

class silent_audit final : public tap::audit_log {
public:
    result<void> write(const tap::audit_record&) override { return {}; }
};

class strict_handler final : public dtcp::response_handler {
public:
    void on_entry(dtcp::list_entry) override {}
    void on_response(dtcp::response, dtcp::authenticity signature) override {
        if (signature != dtcp::authenticity::verified)
            std::abort();
    }
    void on_notification(dtcp::notification, dtcp::authenticity signature) override {
        if (signature != dtcp::authenticity::verified)
            std::abort();
    }
};

/// One login, its session, and a reader of all it is answered.
class client {
public:
    client(tap::access_point& point, std::string login) : point_(&point), login_(std::move(login)) {
        permission::principal who;
        who.name = login_;
        who.permissions = {permission::bit::flow_tap_operation};
        session_ = point.open(who, "192.0.2.1:1000", {}).value();
    }

    void feed(std::string_view octets) {
        while (!octets.empty()) {
            const std::size_t taken = point_->feed(session_, as_byte_view(octets), now_);
            octets.remove_prefix(taken);
            point_->turn(now_);
            // What is held back must be taken after a read: answers do not wait for workers here.
            if (read() == 0 && taken == 0)
                std::abort();
        }
    }

    /// Adds what every request has: `lines` may bring their own, which then come first.
    void ask(std::string_view lines) {
        std::string text(lines);
        if (text.empty() || text.back() != '\n')
            text += "\r\n";
        text += "Csource-ID: " + login_ + "\r\nSeq: 1\r\n";
        weak_hash hash;
        text += "Authentication-Info: " + dtcp::sign(text, hash) + "\r\n\r\n";
        feed(text);
    }

    /// The last answer was read to its end.
    void check() {
        if (reader_.in_message())
            std::abort();
    }

private:
    std::size_t read() {
        std::size_t total = 0;
        char room[777];
        while (const std::size_t count = point_->read(session_, room, now_)) {
            total += count;
            if (!reader_.put(as_byte_view(std::string_view(room, count))))
                std::abort();
        }
        return total;
    }

    tap::access_point* point_;
    std::string login_;
    tap::session_id session_;
    time_stamp now_{};
    weak_hash hash_;
    strict_handler handler_;
    dtcp::response_reader reader_{handler_, &hash_};
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    path::data_path_options few;
    few.slots = 64;
    few.streams = 256;
    path::data_path path(few);
    silent_audit audit;
    tap::settings with;
    with.families.insert(family::inet6);
    with.criteria_limit = 20;
    with.interfaces = {{"ge-0/0/0.0", "", port_id{0}, std::nullopt}};
    with.routing_instances = {"cust-a"};
    with.default_source.port_lists = port_list_mode::pairs;
    tap::access_point point(
        with, {path, audit, [](std::string_view) { return std::make_unique<weak_hash>(); }});
    client signing(point, "lea1");
    client raw(point, "lea2");

    std::string octets;
    for (std::size_t i = 0; i < size; ++i)
        octets += static_cast<char>(data[i]);
    std::string_view rest = octets;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\x1E'), rest.size());
        signing.ask(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    raw.feed(octets);
    signing.check();
    raw.check();
    while (point.next_effect()) {
    }
    return 0;
}
