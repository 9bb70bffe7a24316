// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <flowtap/core/result.hpp>
#include <flowtap/radius/cryptography.hpp>
#include <flowtap/radius/login.hpp>
#include <flowtap/radius/packet.hpp>

namespace flowtap::radius {

/// Whether a login can be asked about. Errors: as `client_state::begin`.
result<void> check_login(const login_request& request);

/// The Access-Request for a login. Errors: none for a login that was checked.
result<std::vector<std::byte>> make_access_request(const login_request& request,
                                                   const std::string& nas_identifier,
                                                   const std::optional<ip_address>& nas_address,
                                                   std::uint8_t id, const authenticator& random,
                                                   shared_secret& key);

/// What an authentic answer means. `server` is its place among the servers, `name` what it is
/// called in reasons. Whatever is not clearly a yes is a no.
login_outcome read_access_answer(const packet_view& answer, std::size_t server,
                                 const std::string& name);

} // namespace flowtap::radius
