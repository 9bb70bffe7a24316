// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <map>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include <flowtap/transport/error.hpp>
#include <flowtap/transport/ssh_server.hpp>

#include "asio.hpp"
#include "connection.hpp"
#include "connection_gate.hpp"
#include "endpoints.hpp"
#include "host_key.hpp"
#include "libssh.hpp"
#include "login_pool.hpp"

namespace flowtap::transport {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr const char* key_exchanges =
    "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,"
    "ecdh-sha2-nistp521,diffie-hellman-group16-sha512,diffie-hellman-group14-sha256";
constexpr const char* ciphers = "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,"
                                "aes128-gcm@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr";
constexpr const char* macs = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"
                             "hmac-sha2-256,hmac-sha2-512";

/// How long accepting rests when the system has no descriptor or memory left.
constexpr std::chrono::milliseconds accept_rest{100};

void set_option(int socket, int level, int name, int value) {
    // Each of these only makes a connection behave better: one that is not there is not missed.
    static_cast<void>(::setsockopt(socket, level, name, &value, sizeof value));
}

/// A connection whose other end has vanished is noticed after about two minutes.
void prepare(int socket) {
    set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, 15);
    set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

result<bind_handle> make_settings(const ssh_server_options& options, key_handle key) {
    bind_handle settings(ssh_bind_new());
    const bool process_configuration = false;
    const auto set = [&](ssh_bind_options_e name, const void* value) {
        return ssh_bind_options_set(settings.get(), name, value) == SSH_OK;
    };
    // Ciphers and MACs are two options each: one for either direction.
    const bool good =
        settings != nullptr && set(SSH_BIND_OPTIONS_PROCESS_CONFIG, &process_configuration) &&
        set(SSH_BIND_OPTIONS_KEY_EXCHANGE, key_exchanges) &&
        set(SSH_BIND_OPTIONS_CIPHERS_C_S, ciphers) && set(SSH_BIND_OPTIONS_CIPHERS_S_C, ciphers) &&
        set(SSH_BIND_OPTIONS_HMAC_C_S, macs) && set(SSH_BIND_OPTIONS_HMAC_S_C, macs) &&
        set(SSH_BIND_OPTIONS_BANNER, options.banner.c_str()) &&
        set(SSH_BIND_OPTIONS_IMPORT_KEY, key.get());
    if (!good)
        return fail(errc::ssh_setup_failed, options.host_key.string());
    static_cast<void>(key.release()); // the settings' now
    return settings;
}

} // namespace

struct ssh_server::implementation final : std::enable_shared_from_this<implementation>,
                                          connection_host {
    implementation(event_loop& on, ssh_server_options with, authenticator& asked,
                   const channel_router& routes)
        : connection_host(on, std::move(with), asked, routes),
          gate(options.connection_limit, options.rate_limit), rest(on) {}

    result<void> listen_on(const endpoint& address);
    void accept(tcp::acceptor& from);
    void on_accept(tcp::acceptor& from, const boost::system::error_code& failure,
                   tcp::socket socket);
    void admit(tcp::socket socket);
    void forget(connection& closed) override;
    void stop();

    connection_gate gate;
    bind_handle settings;
    std::string fingerprint;
    std::vector<std::unique_ptr<tcp::acceptor>> acceptors;
    std::map<connection*, std::shared_ptr<connection>> connections;
    /// Acceptors that rest, and until when.
    std::vector<tcp::acceptor*> resting;
    loop_timer rest;
    bool stopped = false;
};

result<void> ssh_server::implementation::listen_on(const endpoint& address) {
    auto opened = options.via->stream_listener(address);
    if (!opened)
        return fail(opened.error());
    auto acceptor = std::make_unique<tcp::acceptor>(loop.context());
    boost::system::error_code failure;
    acceptor->assign(address.address.ip_family() == family::inet ? tcp::v4() : tcp::v6(),
                     opened->number(), failure);
    if (failure)
        return fail(
            error(std::error_code(failure.value(), std::generic_category()), to_string(address)));
    static_cast<void>(opened->release()); // the loop's now
    acceptors.push_back(std::move(acceptor));
    return {};
}

void ssh_server::implementation::accept(tcp::acceptor& from) {
    from.async_accept([self = shared_from_this(), &from](const boost::system::error_code& failure,
                                                         tcp::socket socket) {
        self->on_accept(from, failure, std::move(socket));
    });
}

void ssh_server::implementation::on_accept(tcp::acceptor& from,
                                           const boost::system::error_code& failure,
                                           tcp::socket socket) {
    if (stopped)
        return;
    if (!failure) {
        admit(std::move(socket));
        return accept(from);
    }
    // Out of descriptors, most likely: trying again at once would only burn time.
    resting.push_back(&from);
    rest.call_at(loop.now().steady + accept_rest, [self = shared_from_this()] {
        for (tcp::acceptor* const acceptor : std::exchange(self->resting, {}))
            self->accept(*acceptor);
    });
}

void ssh_server::implementation::admit(tcp::socket socket) {
    boost::system::error_code failure;
    const tcp::endpoint peer = socket.remote_endpoint(failure);
    if (!failure)
        socket.native_non_blocking(true, failure);
    if (failure)
        return; // it has gone already

    const steady_time now = loop.now().steady;
    // Before the rate: whoever is kept away uses nothing of what the others have.
    if (!sources.admits(from_asio(peer).address, now)) {
        ++counters.refused_by_source;
        return;
    }
    switch (gate.arrive(now)) {
    case connection_gate::decision::too_many:
        ++counters.refused_by_limit;
        return;
    case connection_gate::decision::too_fast:
        ++counters.refused_by_rate;
        return;
    case connection_gate::decision::admitted:
        break;
    }
    ++counters.accepted;
    prepare(socket.native_handle());
    const int descriptor = socket.release(failure);
    const auto fresh = std::make_shared<connection>(*this, descriptor, from_asio(peer));
    connections.emplace(fresh.get(), fresh);
    if (!fresh->start(settings.get())) {
        ++counters.failed_connections;
        forget(*fresh);
    }
}

void ssh_server::implementation::forget(connection& closed) {
    if (connections.erase(&closed) > 0)
        gate.leave();
}

void ssh_server::implementation::stop() {
    if (std::exchange(stopped, true))
        return;
    rest.cancel();
    boost::system::error_code ignored;
    for (const auto& acceptor : acceptors)
        acceptor->close(ignored);
    const auto all = connections;
    for (const auto& [key, one] : all)
        one->close();
}

ssh_server::ssh_server(std::shared_ptr<implementation> with) : implementation_(std::move(with)) {}

ssh_server::~ssh_server() {
    implementation_->stop();
    implementation_->pool.join();
    const auto rest = implementation_->connections;
    for (const auto& [key, one] : rest)
        one->abandon();
}

result<std::unique_ptr<ssh_server>> ssh_server::listen(event_loop& loop, ssh_server_options options,
                                                       authenticator& users,
                                                       const channel_router& router) {
    auto key = load_or_make_host_key(options.host_key);
    if (!key)
        return fail(key.error());
    std::string fingerprint = fingerprint_of(key->get());
    auto settings = make_settings(options, std::move(*key));
    if (!settings)
        return fail(settings.error());

    auto made = std::make_shared<implementation>(loop, std::move(options), users, router);
    made->settings = std::move(*settings);
    made->fingerprint = std::move(fingerprint);
    for (const endpoint& address : made->options.listen) {
        if (const auto listening = made->listen_on(address); !listening)
            return fail(listening.error());
    }
    for (const auto& acceptor : made->acceptors)
        made->accept(*acceptor);
    return std::unique_ptr<ssh_server>(new ssh_server(std::move(made)));
}

std::vector<endpoint> ssh_server::addresses() const {
    std::vector<endpoint> all;
    for (const auto& acceptor : implementation_->acceptors) {
        boost::system::error_code failure;
        const tcp::endpoint at = acceptor->local_endpoint(failure);
        if (!failure)
            all.push_back(from_asio(at));
    }
    return all;
}

std::string ssh_server::fingerprint() const {
    return implementation_->fingerprint;
}

void ssh_server::limit(std::size_t connections, std::size_t per_minute) {
    implementation_->gate.limit(connections, per_minute);
}

void ssh_server::limit(const login_limits& with) {
    implementation_->limits = with;
    implementation_->sources.limit(with);
}

void ssh_server::disconnect(const std::function<bool(const permission::principal&)>& chosen) {
    const auto all = implementation_->connections;
    for (const auto& [key, one] : all) {
        if (one->is_authenticated() && chosen(one->who()))
            one->close();
    }
}

void ssh_server::stop() {
    implementation_->stop();
}

ssh_server_counters ssh_server::counters() const {
    ssh_server_counters now = implementation_->counters;
    now.connections = implementation_->gate.inside();
    return now;
}

} // namespace flowtap::transport
