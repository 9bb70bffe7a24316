// SPDX-License-Identifier: Apache-2.0
#include <flowtap/transport/ssh_client.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <poll.h>

#include <flowtap/transport/error.hpp>

#include "host_key.hpp"
#include "libssh.hpp"

namespace flowtap::transport {

namespace {

struct free_channel {
    void operator()(ssh_channel channel) const noexcept { ssh_channel_free(channel); }
};
using channel_handle = std::unique_ptr<std::remove_pointer_t<ssh_channel>, free_channel>;

/// When sending is tried again although it just made no progress, as while keys are exchanged anew.
constexpr std::chrono::milliseconds retry_after{10};

/// What libssh last complained about.
std::string complaint(ssh_session session) {
    const char* const text = ssh_get_error(session);
    return text == nullptr ? std::string() : std::string(text);
}

bool prepare(ssh_session session, const ssh_client_options& options) {
    const bool process_configuration = false;
    const unsigned port = options.port;
    const long seconds = static_cast<long>(options.timeout.count() / 1000);
    const long microseconds = static_cast<long>(options.timeout.count() % 1000) * 1000;
    const auto set = [session](ssh_options_e name, const void* value) {
        return ssh_options_set(session, name, value) == SSH_OK;
    };
    bool good = set(SSH_OPTIONS_PROCESS_CONFIG, &process_configuration) &&
                set(SSH_OPTIONS_HOST, options.host.c_str()) && set(SSH_OPTIONS_PORT, &port) &&
                set(SSH_OPTIONS_USER, options.user.c_str()) && set(SSH_OPTIONS_TIMEOUT, &seconds) &&
                set(SSH_OPTIONS_TIMEOUT_USEC, &microseconds);
    if (good && !options.known_hosts.empty())
        good = set(SSH_OPTIONS_KNOWNHOSTS, options.known_hosts.c_str()) &&
               set(SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
    return good;
}

result<void> store_as_known(ssh_session session) {
    if (ssh_session_update_known_hosts(session) != SSH_OK)
        return fail(errc::known_hosts_unwritable, complaint(session));
    return {};
}

result<void> verify_host(ssh_session session, const ssh_client_options& options) {
    ssh_key offered = nullptr;
    if (ssh_get_server_publickey(session, &offered) != SSH_OK)
        return fail(errc::connection_failed, complaint(session));
    const key_handle key(offered);
    const std::string fingerprint = fingerprint_of(offered);
    if (!options.host_key_fingerprint.empty()) {
        if (fingerprint != options.host_key_fingerprint)
            return fail(errc::fingerprint_mismatch, fingerprint);
        return {};
    }
    switch (ssh_session_is_known_server(session)) {
    case SSH_KNOWN_HOSTS_OK:
        return {};
    case SSH_KNOWN_HOSTS_CHANGED:
    case SSH_KNOWN_HOSTS_OTHER:
        return fail(errc::host_key_changed, fingerprint);
    case SSH_KNOWN_HOSTS_NOT_FOUND:
    case SSH_KNOWN_HOSTS_UNKNOWN:
        break;
    case SSH_KNOWN_HOSTS_ERROR:
        return fail(errc::host_key_unknown, complaint(session));
    }
    if (!options.accept_unknown_host || !options.accept_unknown_host(fingerprint))
        return fail(errc::host_key_unknown, fingerprint);
    return store_as_known(session);
}

bool log_in_with_key(ssh_session session, const std::filesystem::path& file) {
    ssh_key read = nullptr;
    if (ssh_pki_import_privkey_file(file.c_str(), nullptr, nullptr, nullptr, &read) != SSH_OK)
        return false;
    const key_handle key(read);
    return ssh_userauth_publickey(session, nullptr, read) == SSH_AUTH_SUCCESS;
}

bool log_in_with_keys(ssh_session session, const ssh_client_options& options) {
    if (options.identities.empty())
        return ssh_userauth_publickey_auto(session, nullptr, nullptr) == SSH_AUTH_SUCCESS;
    return std::any_of(options.identities.begin(), options.identities.end(),
                       [&](const auto& file) { return log_in_with_key(session, file); });
}

bool log_in_with_password(ssh_session session, const ssh_client_options& options) {
    if (!options.password)
        return false;
    std::optional<std::string> password = options.password();
    if (!password)
        return false;
    char* const secret = password->data();
    const int done = ssh_userauth_password(session, nullptr, secret);
    ::explicit_bzero(secret, password->size());
    return done == SSH_AUTH_SUCCESS;
}

result<void> log_in(ssh_session session, const ssh_client_options& options) {
    if (ssh_userauth_none(session, nullptr) == SSH_AUTH_SUCCESS)
        return {};
    const auto methods = static_cast<unsigned>(ssh_userauth_list(session, nullptr));
    if ((methods & SSH_AUTH_METHOD_PUBLICKEY) != 0 && log_in_with_keys(session, options))
        return {};
    if ((methods & SSH_AUTH_METHOD_PASSWORD) != 0 && log_in_with_password(session, options))
        return {};
    if (ssh_is_connected(session) == 0)
        return fail(errc::connection_lost, complaint(session));
    return fail(errc::login_refused, options.user);
}

} // namespace

struct ssh_client::implementation {
    ~implementation() {
        channel.reset();
        if (session)
            ssh_disconnect(session.get());
    }

    result<void> open(std::string_view subsystem);
    result<std::size_t> send(std::string_view octets);
    result<std::size_t> receive(std::span<char> room);
    void receive_errors();
    bool has_ended() const;
    bool has_input() const;
    bool can_send() const;
    result<void> wait(std::chrono::milliseconds timeout);

    session_handle session;
    channel_handle channel;
    std::string diagnostic;
};

result<void> ssh_client::implementation::open(std::string_view subsystem) {
    channel.reset(ssh_channel_new(session.get()));
    if (!channel || ssh_channel_open_session(channel.get()) != SSH_OK ||
        ssh_channel_request_subsystem(channel.get(), std::string(subsystem).c_str()) != SSH_OK)
        return fail(errc::channel_refused, std::string(subsystem));
    ssh_set_blocking(session.get(), 0);
    return {};
}

result<std::size_t> ssh_client::implementation::send(std::string_view octets) {
    constexpr std::size_t largest = 32UL * 1024;
    if (octets.empty() || (ssh_get_status(session.get()) & SSH_WRITE_PENDING) != 0)
        return std::size_t{0};
    const auto count = static_cast<std::uint32_t>(std::min(octets.size(), largest));
    const int sent = ssh_channel_write(channel.get(), octets.data(), count);
    if (sent >= 0)
        return static_cast<std::size_t>(sent);
    if (ssh_is_connected(session.get()) == 0)
        return fail(errc::connection_lost, complaint(session.get()));
    return std::size_t{0}; // the server has closed the channel; it may have said why
}

result<std::size_t> ssh_client::implementation::receive(std::span<char> room) {
    const int count = ssh_channel_read_nonblocking(channel.get(), room.data(),
                                                   static_cast<std::uint32_t>(room.size()), 0);
    if (count > 0)
        return static_cast<std::size_t>(count);
    if (count == SSH_ERROR && ssh_is_connected(session.get()) == 0)
        return fail(errc::connection_lost, complaint(session.get()));
    return std::size_t{0};
}

void ssh_client::implementation::receive_errors() {
    constexpr std::size_t most = 64UL * 1024;
    std::array<char, 1024> piece{};
    for (;;) {
        const int count =
            ssh_channel_read_nonblocking(channel.get(), piece.data(), piece.size(), 1);
        if (count <= 0)
            return;
        const auto length = static_cast<std::size_t>(count);
        diagnostic.append(piece.data(), std::min(length, most - std::min(most, diagnostic.size())));
    }
}

bool ssh_client::implementation::has_ended() const {
    return ssh_channel_is_eof(channel.get()) != 0 || ssh_channel_is_closed(channel.get()) != 0;
}

bool ssh_client::implementation::has_input() const {
    return ssh_channel_poll(channel.get(), 0) > 0;
}

bool ssh_client::implementation::can_send() const {
    return (ssh_get_status(session.get()) & SSH_WRITE_PENDING) == 0 &&
           ssh_channel_window_size(channel.get()) > 0;
}

result<void> ssh_client::implementation::wait(std::chrono::milliseconds timeout) {
    pollfd socket{ssh_get_fd(session.get()), POLLIN, 0};
    if ((ssh_get_status(session.get()) & SSH_WRITE_PENDING) != 0)
        socket.events |= POLLOUT;
    const int ready = ::poll(&socket, 1, static_cast<int>(timeout.count()));
    if (ready == 0)
        return fail(errc::timed_out);
    if (ready < 0 && errno != EINTR)
        return fail(errc::connection_lost);
    return {};
}

ssh_client::ssh_client(std::unique_ptr<implementation> with) : implementation_(std::move(with)) {}
ssh_client::~ssh_client() = default;
ssh_client::ssh_client(ssh_client&& other) noexcept = default;
ssh_client& ssh_client::operator=(ssh_client&& other) noexcept = default;

result<ssh_client> ssh_client::connect(const ssh_client_options& options,
                                       std::string_view subsystem) {
    auto made = std::make_unique<implementation>();
    made->session.reset(ssh_new());
    ssh_session const session = made->session.get();
    if (session == nullptr || !prepare(session, options))
        return fail(errc::ssh_setup_failed, options.host);
    if (ssh_connect(session) != SSH_OK)
        return fail(errc::connection_failed, complaint(session));
    if (const auto verified = verify_host(session, options); !verified)
        return fail(verified.error());
    if (const auto logged_in = log_in(session, options); !logged_in)
        return fail(logged_in.error());
    if (const auto opened = made->open(subsystem); !opened)
        return fail(opened.error());
    return ssh_client(std::move(made));
}

result<ssh_client::progress> ssh_client::exchange(std::string_view octets, std::span<char> room,
                                                  std::chrono::milliseconds timeout) {
    const auto end = std::chrono::steady_clock::now() + timeout;
    for (;;) {
        const auto sent = implementation_->send(octets);
        if (!sent)
            return fail(sent.error());
        const auto received = implementation_->receive(room);
        if (!received)
            return fail(received.error());
        implementation_->receive_errors();
        const bool ended = *received == 0 && implementation_->has_ended();
        if (*sent > 0 || *received > 0 || ended)
            return progress{*sent, *received, ended};
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        if (left.count() <= 0)
            return fail(errc::timed_out);
        // Each of the calls above takes in whatever has arrived, also what the call before it was
        // waiting for: octets, or an open window. Then the socket has nothing more to tell.
        if (implementation_->has_input() || implementation_->has_ended())
            continue;
        const bool soon = !octets.empty() && implementation_->can_send();
        const auto ready = implementation_->wait(soon ? std::min(left, retry_after) : left);
        if (!ready && !(soon && ready.error().code == errc::timed_out))
            return fail(ready.error());
    }
}

int ssh_client::descriptor() const noexcept {
    return ssh_get_fd(implementation_->session.get());
}

void ssh_client::end_input() {
    ssh_channel_send_eof(implementation_->channel.get());
}

const std::string& ssh_client::diagnostic() const noexcept {
    return implementation_->diagnostic;
}

std::optional<int> ssh_client::exit_status() const {
    const int status = ssh_channel_get_exit_status(implementation_->channel.get());
    return status < 0 ? std::nullopt : std::optional<int>(status);
}

} // namespace flowtap::transport
