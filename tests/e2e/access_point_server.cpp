// SPDX-License-Identifier: Apache-2.0
// An access point behind SSH and UDP, with nothing to tap: what the end-to-end tests of module
// transport talk to. Prints its port, the fingerprint of its host key and its UDP port, runs until
// its standard input ends, and prints its counters then.
#include <array>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <unistd.h>

#include <flowtap/crypto/digest.hpp>
#include <flowtap/crypto/hmac.hpp>
#include <flowtap/path/data_path.hpp>
#include <flowtap/permission/login.hpp>
#include <flowtap/permission/public_key.hpp>
#include <flowtap/tap/access_point.hpp>
#include <flowtap/transport/authenticator.hpp>
#include <flowtap/transport/datagram_server.hpp>
#include <flowtap/transport/dtcp_service.hpp>
#include <flowtap/transport/event_loop.hpp>
#include <flowtap/transport/ssh_server.hpp>

namespace {

using namespace flowtap;
using namespace flowtap::transport;

class no_audit final : public tap::audit_log {
public:
    result<void> write(const tap::audit_record& /*record*/) override { return {}; }
};

/// Sends back what it gets.
class echo_handler final : public channel_handler {
public:
    void on_open(channel& with) override { channel_ = &with; }
    std::size_t on_data(byte_view octets) override {
        const void* const raw = octets.data();
        return channel_->write({static_cast<const char*>(raw), octets.size()});
    }
    void on_end_of_data() override { channel_->finish(0); }
    void on_writable() override { channel_->request_data(); }
    void on_closed() override { channel_ = nullptr; }

private:
    channel* channel_ = nullptr;
};

/// lea1, lea2 and lea3 may tap, `other` may log in but not tap, `nobody` has no permission. The
/// password of each is its name with "-secret". The keys of a file, if given, are lea1's too.
permission::login_directory make_logins(const char* key_file) {
    permission::login_directory logins;
    logins.insert(permission::login_class{"tappers", {permission::bit::flow_tap_operation}});
    logins.insert(permission::login_class{"viewers", {permission::bit::flow_tap}});
    for (const std::string name : {"lea1", "lea2", "lea3", "other", "nobody"}) {
        std::array<std::byte, 16> salt{};
        crypto::fill_random(salt);
        const std::string kind = name == "other"    ? "viewers"
                                 : name == "nobody" ? "unauthorized"
                                                    : "tappers";
        permission::user one{name, kind};
        one.password_hash = permission::hash_password(name + "-secret", "$6$", salt).value();
        std::ifstream keys(name == "lea1" && key_file != nullptr ? key_file : "/dev/null");
        for (std::string line; std::getline(keys, line);)
            one.keys.push_back(permission::parse_public_key(line).value());
        logins.insert(std::move(one));
    }
    return logins;
}

/// Control source udp1 asks over UDP, with the key "udp1-key".
tap::settings make_settings(std::uint16_t notification_port) {
    tap::settings with;
    tap::control_source_settings& source = with.sources["udp1"];
    source.key = "udp1-key";
    source.udp.emplace();
    if (notification_port != 0)
        source.notification_targets = {{ip_address::v4(0x7F000001), notification_port}};
    with.families.insert(family::inet6);
    with.criteria_limit = 100'000;
    with.interfaces = {{"ge-0/0/0.0", "", port_id{0}, std::nullopt}};
    return with;
}

/// `name=number` of the command line into the options.
bool set(ssh_server_options& options, std::uint16_t& notification_port, std::string_view argument) {
    const std::size_t sign = argument.find('=');
    const std::string_view name = argument.substr(0, sign);
    const unsigned long value = std::stoul(std::string(argument.substr(sign + 1)));
    if (name == "notification-port")
        notification_port = static_cast<std::uint16_t>(value);
    else if (name == "connection-limit")
        options.connection_limit = value;
    else if (name == "rate-limit")
        options.rate_limit = value;
    else if (name == "login-grace")
        options.login.grace = std::chrono::milliseconds(value);
    else if (name == "login-tries")
        options.login.tries = value;
    else if (name == "idle-timeout")
        options.idle_timeout = std::chrono::milliseconds(value);
    else
        return false;
    return true;
}

void print(const ssh_server_counters& counted) {
    std::cout << "accepted=" << counted.accepted << " refused-by-limit=" << counted.refused_by_limit
              << " refused-by-rate=" << counted.refused_by_rate
              << " failed=" << counted.failed_connections << " logins=" << counted.logins
              << " refused-logins=" << counted.refused_logins << " channels=" << counted.channels
              << " refused-requests=" << counted.refused_requests
              << " connections=" << counted.connections << std::endl;
}

} // namespace

int main(int count, char** arguments) {
    if (count < 3) {
        std::cerr << "usage: access_point_server HOST-KEY AUTHORIZED-KEYS [OPTION=NUMBER...]\n";
        return 2;
    }
    ssh_server_options options;
    options.listen = {{ip_address::v4(0x7F000001), 0}};
    options.host_key = arguments[1];
    std::uint16_t notification_port = 0;
    for (int index = 3; index < count; ++index)
        if (!set(options, notification_port, arguments[index]))
            return 2;

    event_loop loop;
    path::data_path path;
    no_audit audit;
    tap::access_point point(make_settings(notification_port),
                            {path, audit, [](std::string_view key) {
                                 return std::make_unique<crypto::keyed_hash_as<dtcp::keyed_hash>>(
                                     key);
                             }});
    dtcp_service service(loop, point);
    path.on_news([&service] { service.wake(); });
    channel_router router;
    router.serve(request_kind::subsystem, std::string(dtcp_subsystem),
                 [&](const channel_request& asked) { return service.open(asked); });
    router.serve(request_kind::subsystem, "echo",
                 [](const channel_request&) { return std::make_unique<echo_handler>(); });
    local_authenticator users(make_logins(arguments[2]));
    auto server = ssh_server::listen(loop, options, users, router);
    if (!server) {
        std::cerr << server.error().message() << '\n';
        return 1;
    }
    auto datagrams = datagram_server::listen(
        loop, options.listen, [&](const endpoint& from, const endpoint& at, byte_view octets) {
            service.receive(from, at, octets);
        });
    if (!datagrams) {
        std::cerr << datagrams.error().message() << '\n';
        return 1;
    }
    service.send_through(**datagrams);
    std::cout << (*server)->addresses().at(0).port << ' ' << (*server)->fingerprint() << ' '
              << (*datagrams)->addresses().at(0).port << std::endl;

    std::thread parent([&loop, &server] {
        for (std::string line; std::getline(std::cin, line);)
            loop.post([&server] { print((*server)->counters()); });
        loop.stop();
    });
    loop.run();
    parent.join();
    (*server)->stop();
    print((*server)->counters());
    return 0;
}
