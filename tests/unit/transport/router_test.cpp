// SPDX-License-Identifier: Apache-2.0
#include <flowtap/transport/channel_router.hpp>

#include <memory>
#include <string>

#include <doctest/doctest.h>

using namespace flowtap;
using namespace flowtap::transport;

namespace {

struct silent_handler final : channel_handler {
    void on_open(channel& /*with*/) override {}
    std::size_t on_data(byte_view octets) override { return octets.size(); }
    void on_end_of_data() override {}
    void on_writable() override {}
    void on_closed() override {}
};

const permission::principal somebody{"lea1", {}, permission::origin::local, std::nullopt};
const endpoint somewhere{};

bool opens(const channel_router& router, request_kind kind, std::string_view name) {
    return router.open({kind, name, somebody, somewhere, std::nullopt}) != nullptr;
}

channel_router::factory make_silent() {
    return [](const channel_request&) { return std::make_unique<silent_handler>(); };
}

} // namespace

TEST_CASE("a router that was told nothing refuses everything") {
    const channel_router router;
    CHECK_FALSE(opens(router, request_kind::subsystem, "flow-tap-dtcp"));
    CHECK_FALSE(opens(router, request_kind::subsystem, "sftp"));
    CHECK_FALSE(opens(router, request_kind::subsystem, ""));
    CHECK_FALSE(opens(router, request_kind::exec, "id"));
    CHECK_FALSE(opens(router, request_kind::shell, ""));
    CHECK_FALSE(router.allows_terminal(somebody));
}

TEST_CASE("a name is served to the letter, and under its own kind only") {
    channel_router router;
    router.serve(request_kind::subsystem, "flow-tap-dtcp", make_silent());
    CHECK(opens(router, request_kind::subsystem, "flow-tap-dtcp"));
    CHECK_FALSE(opens(router, request_kind::subsystem, "Flow-Tap-DTCP"));
    CHECK_FALSE(opens(router, request_kind::subsystem, "flow-tap-dtcp "));
    CHECK_FALSE(opens(router, request_kind::subsystem, "flow-tap"));
    CHECK_FALSE(opens(router, request_kind::subsystem, ""));
    CHECK_FALSE(opens(router, request_kind::exec, "flow-tap-dtcp"));
    CHECK_FALSE(opens(router, request_kind::shell, "flow-tap-dtcp"));
}

TEST_CASE("a whole kind can be served, beside names with entries of their own") {
    channel_router router;
    std::string asked_for;
    router.serve(request_kind::exec, "never", [](const channel_request&) { return nullptr; });
    router.serve_all(request_kind::exec, [&](const channel_request& asked) {
        asked_for = asked.name;
        return std::make_unique<silent_handler>();
    });
    CHECK(opens(router, request_kind::exec, "show version"));
    CHECK(asked_for == "show version");
    CHECK_FALSE(opens(router, request_kind::exec, "never"));
    CHECK_FALSE(opens(router, request_kind::shell, ""));
}

TEST_CASE("a factory sees who asks, and can refuse") {
    channel_router router;
    router.serve(request_kind::shell, "", [](const channel_request& asked) {
        return asked.who.name == "operator" ? std::make_unique<silent_handler>() : nullptr;
    });
    CHECK_FALSE(opens(router, request_kind::shell, ""));
    permission::principal other = somebody;
    other.name = "operator";
    CHECK(router.open({request_kind::shell, "", other, somewhere, std::nullopt}) != nullptr);
}

TEST_CASE("a terminal is for those for whom it is allowed") {
    channel_router router;
    router.allow_terminal([](const permission::principal& who) { return who.name == "lea1"; });
    CHECK(router.allows_terminal(somebody));
    permission::principal other = somebody;
    other.name = "lea2";
    CHECK_FALSE(router.allows_terminal(other));
}
