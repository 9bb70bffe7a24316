// SPDX-License-Identifier: Apache-2.0
// Asks RADIUS servers about logins: `authenticate-login ADDRESS PORT [ADDRESS PORT]...`, in that
// order. Reads from standard input the secret shared with the servers, in a line, and then a login
// and a password in each line. Prints what became of each login in a line.
#include <charconv>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/io_context.hpp>

#include <flowtap/crypto/digest.hpp>
#include <flowtap/crypto/hmac.hpp>
#include <flowtap/radius/client.hpp>

using namespace flowtap;

namespace {

radius::cryptography with_openssl() {
    using hash = crypto::keyed_hash_as<radius::keyed_hash, crypto::hmac_md5>;
    return {crypto::md5, [](std::string_view key) { return std::make_unique<hash>(key); },
            crypto::fill_random};
}

/// False if an argument is not what it should be.
bool read_servers(int count, char** arguments, std::string_view shared,
                  radius::client_settings& settings) {
    for (int i = 1; i + 1 < count; i += 2) {
        const auto address = parse_ip_address(arguments[i]);
        const std::string_view port = arguments[i + 1];
        radius::server server;
        std::from_chars(port.data(), port.data() + port.size(), server.address.port);
        if (!address)
            return false;
        server.address.address = *address;
        server.shared = radius::secret(shared);
        settings.servers.push_back(std::move(server));
    }
    return count % 2 == 1;
}

void print(const radius::login_outcome& outcome) {
    // What a server sends may hold anything, so it is escaped before it is shown.
    if (const auto* const yes = std::get_if<radius::login_accepted>(&outcome))
        std::cout << "accepted by server " << yes->server + 1 << ", permissions \""
                  << escape_text(yes->permissions) << "\", local user "
                  << (yes->local_user ? '"' + escape_text(*yes->local_user) + '"' : "none") << '\n';
    else if (const auto* const no = std::get_if<radius::login_rejected>(&outcome))
        std::cout << "rejected: " << no->reason << '\n';
    else
        std::cout << "unavailable: " << std::get<radius::login_unavailable>(outcome).reason << '\n';
    std::cout.flush();
}

} // namespace

int main(int count, char** arguments) {
    std::string shared;
    std::getline(std::cin, shared);
    radius::client_settings settings;
    if (!read_servers(count, arguments, shared, settings)) {
        std::cerr << "usage: authenticate-login ADDRESS PORT [ADDRESS PORT]...\n";
        return 2;
    }
    boost::asio::io_context context;
    const auto client =
        radius::client::create(context, std::move(settings), with_openssl(),
                               [](const std::string& line) { std::cerr << line << '\n'; });
    if (!client) {
        std::cerr << client.error().message() << '\n';
        return 2;
    }
    for (std::string login, password; std::cin >> login >> password;) {
        (*client)->log_in({login, radius::secret(password)}, print);
        context.restart();
        context.run(); // until nothing is under way
    }
    return 0;
}
