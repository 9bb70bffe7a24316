// SPDX-License-Identifier: Apache-2.0
#include "login.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace flowtap::transport {

namespace {

constexpr int offered_methods = SSH_AUTH_METHOD_PASSWORD | SSH_AUTH_METHOD_PUBLICKEY;

/// More messages than any client needs to log in.
constexpr std::size_t most_messages = 100;

steady_time now() {
    return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now());
}

/// Whether a key is only shown, without a signature.
bool is_offer(ssh_message message) {
    return ssh_message_auth_publickey_state(message) == SSH_PUBLICKEY_STATE_NONE;
}

std::optional<permission::public_key> key_of(ssh_message message) {
    ssh_key const offered = ssh_message_auth_pubkey(message);
    const char* const algorithm = ssh_key_type_to_char(ssh_key_type(offered));
    char* exported = nullptr;
    if (offered == nullptr || algorithm == nullptr ||
        ssh_pki_export_pubkey_base64(offered, &exported) != SSH_OK)
        return std::nullopt;
    const text_handle base64(exported);
    auto key = permission::make_public_key(algorithm, exported);
    if (!key)
        return std::nullopt;
    return std::move(*key);
}

} // namespace

login::login(ssh_session session, authenticator& users, endpoint peer, steady_time deadline)
    : session_(session), users_(&users) {
    attempt_.peer = peer;
    attempt_.deadline = deadline;
}

std::optional<login::outcome> login::finish_key_exchange() {
    const int done = ssh_handle_key_exchange(session_);
    if (done == SSH_AGAIN)
        return outcome::waiting;
    if (done != SSH_OK)
        return outcome::failed;
    ssh_set_auth_methods(session_, offered_methods);
    event_.reset(ssh_event_new());
    if (!event_ || ssh_event_add_session(event_.get(), session_) != SSH_OK)
        return outcome::failed;
    return std::nullopt;
}

login::outcome login::step() {
    if (!event_) {
        if (const auto early = finish_key_exchange())
            return *early;
    }
    while (message_handle message{ssh_message_get(session_)}) {
        if (++messages_ > most_messages)
            return outcome::failed;
        if (const auto done = handle(std::move(message)))
            return *done;
    }
    return ssh_is_connected(session_) != 0 ? outcome::waiting : outcome::failed;
}

std::optional<login::outcome> login::handle(message_handle message) {
    switch (ssh_message_type(message.get())) {
    case SSH_REQUEST_AUTH:
        return authenticate(std::move(message));
    case SSH_REQUEST_SERVICE:
        // The answer to a service that does not exist is to disconnect (RFC 4253, section 10).
        if (std::string_view(ssh_message_service_service(message.get())) != "ssh-userauth")
            return outcome::failed;
        ssh_message_service_reply_success(message.get());
        return std::nullopt;
    default:
        // Nothing else has a meaning before somebody is logged in.
        return outcome::failed;
    }
}

std::optional<login::outcome> login::authenticate(message_handle message) {
    asked_at_ = now();
    const char* const user = ssh_message_auth_user(message.get());
    attempt_.user = user == nullptr ? "" : user;
    switch (ssh_message_subtype(message.get())) {
    case SSH_AUTH_METHOD_NONE:
        // Only asks which methods there are; says nothing about the user, so it need not be held.
        ssh_message_auth_set_methods(message.get(), offered_methods);
        ssh_message_reply_default(message.get());
        return std::nullopt;
    case SSH_AUTH_METHOD_PASSWORD:
        if (const char* const password = ssh_message_auth_password(message.get()))
            accepted_ = users_->check_password(attempt_, password);
        break;
    case SSH_AUTH_METHOD_PUBLICKEY:
        if (is_offer(message.get())) {
            answer_offer(message.get());
            return std::nullopt;
        }
        check_key(message.get());
        break;
    default:
        break;
    }
    pending_ = std::move(message);
    return accepted_ ? outcome::accepted : outcome::refused;
}

// Clients offer all keys they have, one after the other. It is answered at once: looking a key up
// takes the same time whoever the user is, and `most_messages` bounds how many there are.
void login::answer_offer(ssh_message message) {
    const auto key = key_of(message);
    if (key && users_->accepts_key(attempt_, *key)) {
        ssh_message_auth_reply_pk_ok_simple(message);
        return;
    }
    ssh_message_auth_set_methods(message, offered_methods);
    ssh_message_reply_default(message);
}

void login::check_key(ssh_message message) {
    const auto key = key_of(message);
    if (key && ssh_message_auth_publickey_state(message) == SSH_PUBLICKEY_STATE_VALID)
        accepted_ = users_->check_key(attempt_, *key);
}

void login::refuse() {
    ++attempt_.refused;
    ssh_message_auth_set_methods(pending_.get(), offered_methods);
    ssh_message_reply_default(pending_.get());
    pending_.reset();
}

permission::principal login::accept() {
    ssh_message_auth_reply_success(pending_.get(), 0);
    pending_.reset();
    return std::move(*accepted_);
}

} // namespace flowtap::transport
