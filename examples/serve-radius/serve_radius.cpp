// SPDX-License-Identifier: Apache-2.0
// Serves RADIUS accounting and dynamic authorization to one client: `serve-radius ADDRESS CLIENT`.
// Reads the secret shared with the client from standard input, in a line, and ends with its input.
// Listens at free ports, which it prints first, and prints what it is told in a line each. A
// session can be mirrored from its Start to its Stop.
#include <iostream>
#include <memory>
#include <set>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <flowtap/crypto/digest.hpp>
#include <flowtap/crypto/hmac.hpp>
#include <flowtap/radius/request_server.hpp>

using namespace flowtap;

namespace {

radius::cryptography with_openssl() {
    using hash = crypto::keyed_hash_as<radius::keyed_hash, crypto::hmac_md5>;
    return {crypto::md5, [](std::string_view key) { return std::make_unique<hash>(key); },
            crypto::fill_random};
}

/// The sessions that are there. It shows all it is told, as no program at work should.
class subscribers {
public:
    bool take(const radius::accounting_record& record) {
        const std::string& session = record.session.accounting_session;
        if (record.event == radius::accounting_event::start)
            sessions_.insert(session);
        if (record.event == radius::accounting_event::stop)
            sessions_.erase(session);
        std::cout << "accounting " << static_cast<int>(record.event) << " session "
                  << escape_text(session) << " user " << escape_text(record.session.user_name)
                  << " address "
                  << (record.session.address ? to_string(*record.session.address) : "none");
        for (const ip_prefix& each : record.session.prefixes)
            std::cout << ' ' << to_string(each);
        std::cout << std::endl;
        return true;
    }

    std::optional<radius::error_cause> apply(const radius::authorization_request& request) {
        if (!sessions_.contains(request.session.accounting_session))
            return radius::error_cause::session_not_found;
        if (const auto& order = request.order)
            std::cout << "mirror " << static_cast<int>(order->action) << " handle of "
                      << order->handle.size() << " octets, to "
                      << to_string(endpoint{order->address.value_or(ip_address()), order->port})
                      << std::endl;
        else
            std::cout << "disconnect" << std::endl;
        return std::nullopt;
    }

private:
    std::set<std::string> sessions_;
};

} // namespace

int main(int count, char** arguments) {
    const auto address = parse_ip_address(count == 3 ? arguments[1] : "");
    const auto client = parse_ip_address(count == 3 ? arguments[2] : "");
    if (!address || !client) {
        std::cerr << "usage: serve-radius ADDRESS CLIENT\n";
        return 2;
    }
    std::string shared;
    std::getline(std::cin, shared);
    radius::server_settings settings;
    settings.clients.push_back({*client, radius::secret(shared)});
    subscribers known;
    const auto log = [](const std::string& line) { std::cout << line << std::endl; };
    boost::asio::io_context context;
    const auto accounting = radius::request_server::accounting(
        context, {*address, 0}, settings, with_openssl(),
        [&](const radius::accounting_record& record, const ip_address&) {
            return known.take(record);
        },
        log);
    const auto orders = radius::request_server::dynamic_authorization(
        context, {*address, 0}, settings, with_openssl(),
        [&](const radius::authorization_request& request) { return known.apply(request); }, log);
    if (!accounting || !orders) {
        std::cerr << (!accounting ? accounting : orders).error().message() << '\n';
        return 1;
    }
    std::cout << (*accounting)->address().port << ' ' << (*orders)->address().port << std::endl;
    boost::asio::posix::stream_descriptor input(context, 0);
    input.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [&](const boost::system::error_code&) { context.stop(); });
    context.run();
    input.release();
    return 0;
}
