// SPDX-License-Identifier: Apache-2.0
// Feeds the input to an access point as datagrams, divided at octets 1E: each as it is, and as a
// request that the harness signs, so that what lies behind the authentication is reached. Whatever
// goes out must be whole, signed messages, one in each datagram, and no number is answered twice.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

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

/// Every second write fails.
class moody_store final : public tap::sequence_store {
public:
    std::optional<sequence_number> load(std::string_view) override { return std::nullopt; }
    result<void> store(std::string_view, sequence_number) override {
        if (writes_++ % 2 == 0)
            return {};
        return unexpected<error>(error(std::make_error_code(std::errc::no_space_on_device)));
    }
    result<void> forget(std::string_view) override { return {}; }

private:
    int writes_ = 0;
};

/// Counts the messages of one datagram.
class strict_handler final : public dtcp::response_handler {
public:
    void on_entry(dtcp::list_entry) override { has_entries_ = true; }
    void on_response(dtcp::response answer, dtcp::authenticity signature) override {
        check(signature);
        // The parts of a LIST answer share one.
        if (!has_entries_ && !answered.insert(answer.seq).second && !lists.contains(answer.seq))
            std::abort();
        if (has_entries_)
            lists.insert(answer.seq);
        has_entries_ = false;
    }
    void on_notification(dtcp::notification, dtcp::authenticity signature) override {
        check(signature);
    }

    std::size_t messages = 0;
    std::set<sequence_number> answered;
    std::set<sequence_number> lists;

private:
    void check(dtcp::authenticity signature) {
        ++messages;
        if (signature != dtcp::authenticity::verified)
            std::abort();
    }

    bool has_entries_ = false;
};

const endpoint device{ip_address::v4(0xC0000201), 1000};
const endpoint service{ip_address::v4(0xC0000202), 2000};

tap::settings make_settings() {
    tap::settings with;
    with.families.insert(family::inet6);
    with.criteria_limit = 20;
    with.interfaces = {{"ge-0/0/0.0", "", port_id{0}, std::nullopt}};
    with.routing_instances = {"cust-a"};
    with.sources["md1"].udp.emplace();
    with.sources["md1"].notification_targets = {device};
    return with;
}

class client {
public:
    explicit client(tap::access_point& point) : point_(&point) {}

    void send(std::string_view octets) {
        point_->feed_datagram(device, service, as_byte_view(octets), now_);
        do {
            point_->turn(now_);
            while (auto effect = point_->next_effect())
                receive(std::get<tap::send_datagram>(*effect));
        } while (point_->deadline() && *point_->deadline() <= now_.steady);
    }

    /// Adds what every request has: `lines` may bring their own, which then come first.
    void ask(std::string_view lines) {
        std::string text(lines);
        if (text.empty() || text.back() != '\n')
            text += "\r\n";
        text += "Csource-ID: md1\r\nSeq: " + std::to_string(++seq_) + "\r\n";
        weak_hash hash;
        text += "Authentication-Info: " + dtcp::sign(text, hash) + "\r\n\r\n";
        send(text);
    }

private:
    void receive(const tap::send_datagram& one) {
        if (one.to != device)
            std::abort();
        weak_hash hash;
        dtcp::response_reader reader(handler_, &hash);
        handler_.messages = 0;
        if (!reader.put(as_byte_view(one.octets)) || reader.in_message() || handler_.messages != 1)
            std::abort();
    }

    tap::access_point* point_;
    std::uint64_t seq_ = ~std::uint64_t{0} - 3;
    time_stamp now_{};
    strict_handler handler_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    path::data_path_options few;
    few.slots = 64;
    few.streams = 256;
    path::data_path path(few);
    silent_audit audit;
    moody_store store;
    tap::access_point point(
        make_settings(),
        {path, audit, [](std::string_view) { return std::make_unique<weak_hash>(); }, &store});
    client md1(point);

    std::string octets;
    for (std::size_t i = 0; i < size; ++i)
        octets += static_cast<char>(data[i]);
    std::string_view rest = octets;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\x1E'), rest.size());
        md1.send(rest.substr(0, end));
        md1.ask(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return 0;
}
