// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/transport/authenticator.hpp>
#include <flowtap/transport/channel_router.hpp>
#include <flowtap/transport/event_loop.hpp>
#include <flowtap/transport/ssh_client.hpp>
#include <flowtap/transport/ssh_server.hpp>

namespace flowtap::transport::test {

using namespace std::chrono_literals;

/// A directory that goes with the object.
class temporary_directory {
public:
    temporary_directory() {
        std::string name = (std::filesystem::temp_directory_path() / "flowtap-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~temporary_directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    temporary_directory(const temporary_directory&) = delete;
    temporary_directory& operator=(const temporary_directory&) = delete;

    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// Lets everybody in whose password is the name backwards, and counts.
struct backward_authenticator : authenticator {
    std::optional<permission::principal> check_password(const login_attempt& attempt,
                                                        std::string_view password) override {
        ++asked;
        if (std::string(password.rbegin(), password.rend()) != attempt.user)
            return std::nullopt;
        permission::principal who;
        who.name = attempt.user;
        who.permissions = {permission::bit::flow_tap_operation};
        return who;
    }
    bool accepts_key(const login_attempt&, const permission::public_key& key) override {
        ++asked;
        return key == accepted;
    }
    std::optional<permission::principal> check_key(const login_attempt& attempt,
                                                   const permission::public_key& key) override {
        if (key != accepted)
            return std::nullopt;
        permission::principal who;
        who.name = attempt.user;
        return who;
    }

    permission::public_key accepted;
    std::atomic<int> asked = 0;
};

/// Sends back what it gets, takes no more than it can send back, and ends when the client does.
class echo_handler : public channel_handler {
public:
    void on_open(channel& with) override { channel_ = &with; }
    std::size_t on_data(byte_view octets) override {
        const void* const raw = octets.data();
        return channel_->write({static_cast<const char*>(raw), octets.size()});
    }
    void on_end_of_data() override { channel_->finish(7); }
    void on_writable() override { channel_->request_data(); }
    void on_closed() override { channel_ = nullptr; }

protected:
    channel* channel_ = nullptr;
};

/// A server on a free port of 127.0.0.1 that echoes, its loop on a thread.
class server_rig {
public:
    explicit server_rig(ssh_server_options options = {}) {
        router.serve(request_kind::subsystem, "echo",
                     [](const channel_request&) { return std::make_unique<echo_handler>(); });
        options.listen = {{ip_address::v4(0x7F000001), 0}};
        options.host_key = directory.path() / "host_key";
        auto made = ssh_server::listen(loop, std::move(options), users, router);
        REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().message()));
        server = std::move(*made);
        port = server->addresses().at(0).port;
        fingerprint = server->fingerprint();
    }
    ~server_rig() {
        if (!thread_.joinable())
            return;
        loop.stop();
        thread_.join();
    }

    void start() {
        thread_ = std::thread([this] { loop.run(); });
    }

    /// Does something on the loop's thread and returns what it returns.
    template <class Work>
    auto on_loop(Work work) {
        std::packaged_task<decltype(work())()> task(std::move(work));
        auto done = task.get_future();
        loop.post([&task] { task(); });
        return done.get();
    }

    ssh_client_options client(std::string user = "lea1") const {
        ssh_client_options options;
        options.host = "127.0.0.1";
        options.port = port;
        options.user = user;
        options.timeout = 60s;
        options.host_key_fingerprint = fingerprint;
        options.identities = {directory.path() / "no_key"};
        options.password = [user] { return std::string(user.rbegin(), user.rend()); };
        return options;
    }

    temporary_directory directory;
    event_loop loop;
    backward_authenticator users;
    channel_router router;
    std::unique_ptr<ssh_server> server;
    std::uint16_t port = 0;
    std::string fingerprint;

private:
    std::thread thread_;
};

/// Sends everything and returns everything that comes back, until the server ends.
inline std::string exchange_all(ssh_client& client, std::string_view octets) {
    std::string back;
    std::array<char, 8192> room{};
    bool told = false;
    for (;;) {
        if (octets.empty() && !std::exchange(told, true))
            client.end_input();
        const auto done = client.exchange(octets, room, 60s);
        REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().message()));
        octets.remove_prefix(done->sent);
        back.append(room.data(), done->received);
        if (done->ended)
            return back;
    }
}

/// Waits until as many octets as `count` have come back.
inline std::string exchange_some(ssh_client& client, std::string_view octets, std::size_t count) {
    std::string back;
    std::array<char, 8192> room{};
    while (back.size() < count) {
        const auto done = client.exchange(octets, room, 60s);
        REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().message()));
        octets.remove_prefix(done->sent);
        back.append(room.data(), done->received);
        if (done->ended)
            break;
    }
    return back;
}

} // namespace flowtap::transport::test
