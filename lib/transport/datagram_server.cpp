// SPDX-License-Identifier: Apache-2.0
#include <flowtap/transport/datagram_server.hpp>

#include <utility>

#include <flowtap/transport/error.hpp>

namespace flowtap::transport {

struct datagram_server::implementation {};

datagram_server::datagram_server(std::shared_ptr<implementation> with)
    : implementation_(std::move(with)) {}

datagram_server::~datagram_server() = default;

result<std::unique_ptr<datagram_server>>
datagram_server::listen(event_loop&, const std::vector<endpoint>&, receiver) {
    return std::unique_ptr<datagram_server>(
        new datagram_server(std::make_shared<implementation>()));
}

std::vector<endpoint> datagram_server::addresses() const {
    return {};
}

void datagram_server::send(const endpoint&, const endpoint&, std::string_view) {}

bool datagram_server::is_full() const noexcept {
    return false;
}

void datagram_server::on_room(std::function<void()>) {}

datagram_counters datagram_server::counters() const noexcept {
    return {};
}

} // namespace flowtap::transport
