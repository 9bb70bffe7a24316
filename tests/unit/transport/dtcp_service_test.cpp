// SPDX-License-Identifier: Apache-2.0
#include <flowtap/transport/dtcp_service.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include <doctest/doctest.h>

#include <flowtap/crypto/hmac.hpp>
#include <flowtap/dtcp/writer.hpp>
#include <flowtap/path/data_path.hpp>

using namespace flowtap;
using namespace flowtap::transport;

namespace {

struct no_audit final : tap::audit_log {
    result<void> write(const tap::audit_record& /*record*/) override { return {}; }
};

std::unique_ptr<dtcp::keyed_hash> make_hash(std::string_view key) {
    return std::make_unique<crypto::keyed_hash_as<dtcp::keyed_hash>>(key);
}

/// A channel without a network: keeps what is written, up to a limit.
class fake_channel final : public channel {
public:
    explicit fake_channel(permission::principal who) : who_(std::move(who)) {}

    std::size_t room() const noexcept override { return limit - std::min(limit, output.size()); }
    std::size_t write(std::string_view octets) override {
        const std::string_view taken = octets.substr(0, room());
        output += taken;
        return taken.size();
    }
    void write_error(std::string_view text) override { errors += text; }
    void request_write() override { write_wanted = true; }
    void request_data() override { data_wanted = true; }
    void finish(int exit_status) override { status = exit_status; }
    const permission::principal& who() const noexcept override { return who_; }
    const endpoint& peer() const noexcept override { return peer_; }

    std::size_t limit = 100'000;
    std::string output;
    std::string errors;
    bool write_wanted = false;
    bool data_wanted = false;
    std::optional<int> status;

private:
    permission::principal who_;
    endpoint peer_;
};

struct service_rig {
    std::unique_ptr<channel_handler> open(const permission::principal& who) {
        return service->open({request_kind::subsystem, dtcp_subsystem, who, {}, std::nullopt});
    }

    static permission::principal tapper(std::string name) {
        return {std::move(name),
                {permission::bit::flow_tap_operation},
                permission::origin::local,
                std::nullopt};
    }

    static std::string noop(std::string_view user) {
        const auto hash = make_hash("Juniper");
        std::string text;
        const std::array<dtcp::text_field, 2> fields{{{"Csource-ID", user}, {"Seq", "1"}}};
        dtcp::write_request(text, "NOOP", dtcp::version_0_7, fields, *hash);
        return text;
    }

    /// What a server does for a channel, until nothing is asked for any more.
    void serve(channel_handler& handler, fake_channel& on) {
        do {
            loop.poll();
            if (std::exchange(on.write_wanted, false))
                handler.on_writable();
        } while (on.write_wanted || loop.poll() > 0);
    }

    event_loop loop;
    path::data_path path;
    no_audit audit;
    tap::access_point point{{}, {path, audit, make_hash}};
    std::optional<dtcp_service> service{std::in_place, loop, point};
};

} // namespace

TEST_CASE("a principal that may not tap gets no handler, and no session is left behind") {
    service_rig rig;
    CHECK(
        rig.open({"other", {permission::bit::flow_tap}, permission::origin::local, std::nullopt}) ==
        nullptr);
    CHECK(rig.point.state().sessions == 0);
    CHECK(rig.open(rig.tapper("lea1")) != nullptr);
}

TEST_CASE("a request is answered, and the end of input ends the channel after the answer") {
    service_rig rig;
    fake_channel channel(rig.tapper("lea1"));
    const auto handler = rig.open(channel.who());
    REQUIRE(handler != nullptr);
    handler->on_open(channel);
    const std::string request = rig.noop("lea1");
    CHECK(handler->on_data(as_byte_view(request)) == request.size());
    handler->on_end_of_data();
    rig.serve(*handler, channel);
    CHECK(channel.output.starts_with("DTCP/0.7 200 OK\r\nSEQ: 1\r\n"));
    CHECK(channel.status == 0);
    CHECK(channel.errors.empty());
    handler->on_closed();
    CHECK(rig.point.state().sessions == 0);
}

TEST_CASE("an answer comes out through a channel of any width") {
    service_rig rig;
    fake_channel channel(rig.tapper("lea1"));
    channel.limit = 1;
    const auto handler = rig.open(channel.who());
    handler->on_open(channel);
    handler->on_data(as_byte_view(rig.noop("lea1")));
    handler->on_end_of_data();
    std::string all;
    for (int turn = 0; turn < 1000 && !channel.status; ++turn) {
        rig.serve(*handler, channel);
        all += std::exchange(channel.output, {});
        handler->on_writable();
    }
    all += channel.output;
    CHECK(all.starts_with("DTCP/0.7 200 OK\r\n"));
    CHECK(all.ends_with("\r\n\r\n"));
    CHECK(channel.status == 0);
}

TEST_CASE("a service that restarts ends its channels with a diagnostic") {
    service_rig rig;
    fake_channel channel(rig.tapper("lea1"));
    const auto handler = rig.open(channel.who());
    handler->on_open(channel);
    rig.point.restart(rig.loop.now());
    rig.service->wake();
    rig.serve(*handler, channel);
    CHECK(channel.status == 1);
    CHECK_FALSE(channel.errors.empty());
    CHECK(rig.point.state().sessions == 0);
}

TEST_CASE("a channel that its client drops leaves the access point") {
    service_rig rig;
    fake_channel channel(rig.tapper("lea1"));
    auto handler = rig.open(channel.who());
    handler->on_open(channel);
    CHECK(rig.point.state().sessions == 1);
    handler->on_closed();
    CHECK(rig.point.state().sessions == 0);
    handler = rig.open(channel.who());
    handler.reset(); // never opened
    CHECK(rig.point.state().sessions == 0);
}

TEST_CASE("channels outlive the service without using it") {
    service_rig rig;
    fake_channel channel(rig.tapper("lea1"));
    const auto handler = rig.open(channel.who());
    handler->on_open(channel);
    rig.service.reset();
    CHECK(channel.status == 0);
    const std::string request = rig.noop("lea1");
    CHECK(handler->on_data(as_byte_view(request)) == request.size());
    handler->on_end_of_data();
    handler->on_writable();
    rig.loop.poll();
    CHECK(channel.output.empty());
    handler->on_closed();
    CHECK(rig.point.state().sessions == 0);
}
