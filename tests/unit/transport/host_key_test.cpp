// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <iterator>
#include <string>

#include <sys/stat.h>

#include <flowtap/transport/error.hpp>

#include "server_rig.hpp"

using namespace flowtap;
using namespace flowtap::transport;
using namespace flowtap::transport::test;

namespace {

struct key_rig {
    result<std::unique_ptr<ssh_server>> listen() {
        ssh_server_options options;
        options.host_key = file;
        return ssh_server::listen(loop, options, users, router);
    }

    temporary_directory directory;
    std::filesystem::path file = directory.path() / "host_key";
    event_loop loop;
    backward_authenticator users;
    channel_router router;
};

} // namespace

TEST_CASE("the host key is made at the first start, readable by its owner alone, and stays") {
    key_rig rig;
    const auto first = rig.listen();
    REQUIRE(first.has_value());
    struct stat about = {};
    REQUIRE(::stat(rig.file.c_str(), &about) == 0);
    CHECK((about.st_mode & 07777) == 0600);
    CHECK((*first)->fingerprint().starts_with("SHA256:"));
    const auto second = rig.listen();
    REQUIRE(second.has_value());
    CHECK((*first)->fingerprint() == (*second)->fingerprint());
    // Nothing is left beside it.
    CHECK(std::distance(std::filesystem::directory_iterator(rig.directory.path()), {}) == 1);
}

TEST_CASE("a host key that others can read, or that is none, is refused") {
    key_rig rig;
    REQUIRE(rig.listen().has_value());
    REQUIRE(::chmod(rig.file.c_str(), 0640) == 0);
    const auto exposed = rig.listen();
    REQUIRE_FALSE(exposed.has_value());
    CHECK(exposed.error().code == transport::errc::host_key_exposed);
    CHECK(exposed.error().subject == rig.file.string());

    REQUIRE(::chmod(rig.file.c_str(), 0600) == 0);
    std::ofstream(rig.file) << "not a key\n";
    const auto broken = rig.listen();
    REQUIRE_FALSE(broken.has_value());
    CHECK(broken.error().code == transport::errc::host_key_unreadable);
}

TEST_CASE("a host key that cannot be stored is an error") {
    key_rig rig;
    rig.file = rig.directory.path() / "missing" / "host_key";
    const auto refused = rig.listen();
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == transport::errc::host_key_not_made);
}

TEST_CASE("an address that cannot be used is named in the error") {
    key_rig rig;
    ssh_server_options options;
    options.host_key = rig.file;
    options.listen = {{ip_address::v4(0xC0000201), 0}}; // 192.0.2.1 is nobody's
    const auto refused = ssh_server::listen(rig.loop, options, rig.users, rig.router);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().subject == "192.0.2.1:0");
    CHECK(refused.error().code == std::errc::address_not_available);
}
