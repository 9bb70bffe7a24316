// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

// The accessors of messages are marked as deprecated in favour of callbacks. Callbacks must answer
// before they return; a message can be answered later, as a refusal at its deadline is.
#define SSH_SUPPRESS_DEPRECATED
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

namespace flowtap::transport {

struct ssh_deleter {
    void operator()(ssh_session session) const noexcept { ssh_free(session); }
    void operator()(ssh_event event) const noexcept { ssh_event_free(event); }
    void operator()(ssh_bind settings) const noexcept { ssh_bind_free(settings); }
    void operator()(ssh_key key) const noexcept { ssh_key_free(key); }
    void operator()(ssh_message message) const noexcept { ssh_message_free(message); }
    void operator()(char* text) const noexcept { ssh_string_free_char(text); }
};

using session_handle = std::unique_ptr<std::remove_pointer_t<ssh_session>, ssh_deleter>;
using event_handle = std::unique_ptr<std::remove_pointer_t<ssh_event>, ssh_deleter>;
using bind_handle = std::unique_ptr<std::remove_pointer_t<ssh_bind>, ssh_deleter>;
using key_handle = std::unique_ptr<std::remove_pointer_t<ssh_key>, ssh_deleter>;
using message_handle = std::unique_ptr<std::remove_pointer_t<ssh_message>, ssh_deleter>;
using text_handle = std::unique_ptr<char, ssh_deleter>;

} // namespace flowtap::transport
