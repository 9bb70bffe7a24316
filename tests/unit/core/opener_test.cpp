// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <netinet/in.h>
#include <ostream>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <flowtap/core/opener.hpp>

using namespace flowtap;

namespace {

/// A directory that is empty at first and gone at the end.
struct scratch {
    scratch() { REQUIRE(mkdtemp(path.data()) != nullptr); }
    ~scratch() {
        ::unlink((path + "/file").c_str());
        ::rmdir(path.c_str());
    }
    std::string path = "/tmp/flowtap-opener-XXXXXX";
};

/// What is written to `path` as to a new file.
void write_anew(const std::string& path, const std::string& text) {
    const auto made = direct_opener().file_to_write(path);
    REQUIRE(made);
    REQUIRE(::write(made->number(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

/// A file that has three octets in it, and that everybody may read.
descriptor file_before(const std::string& path) {
    descriptor made(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    REQUIRE(::write(made.number(), "old", 3) == 3);
    return made;
}

} // namespace

TEST_CASE("a descriptor is closed once, by its last owner") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    {
        descriptor a(ends[0]);
        descriptor b(std::move(a));
        CHECK_FALSE(a);
        CHECK(b.number() == ends[0]);
        descriptor c;
        c = std::move(b);
        CHECK(c.number() == ends[0]);
    }
    CHECK(::close(ends[0]) == -1);
    CHECK(::close(ends[1]) == 0);
}

TEST_CASE("files are made for their owner only, and can be read again") {
    const scratch here;
    const std::string path = here.path + "/file";
    write_anew(path, "ab");
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    auto read = direct_opener().file_to_read(path);
    REQUIRE(read);
    char letter = 0;
    CHECK(::read(read->number(), &letter, 1) == 1);
    CHECK(letter == 'a');
}

TEST_CASE("a file that is there gives way to the new one") {
    const scratch here;
    const std::string path = here.path + "/file";
    const std::string other_name = here.path + "/link";
    const descriptor before = file_before(path);
    REQUIRE(::link(path.c_str(), other_name.c_str()) == 0);
    write_anew(path, "new one");
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    CHECK(status.st_size == 7);
    // Who had it open, or has it by another name, still has what was in it.
    REQUIRE(::fstat(before.number(), &status) == 0);
    CHECK(status.st_size == 3);
    REQUIRE(::stat(other_name.c_str(), &status) == 0);
    CHECK(status.st_size == 3);
    ::unlink(other_name.c_str());
}

TEST_CASE("what a symbolic link leads to is written to, and what is no file stays") {
    const scratch here;
    const std::string target = here.path + "/link";
    const std::string path = here.path + "/file";
    const descriptor before = file_before(target);
    REQUIRE(::symlink(target.c_str(), path.c_str()) == 0);
    write_anew(path, "x");
    struct stat status {};
    REQUIRE(::fstat(before.number(), &status) == 0);
    CHECK(status.st_size == 1);
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    CHECK(S_ISLNK(status.st_mode));
    ::unlink(target.c_str());
    CHECK(direct_opener().file_to_write("/dev/null"));
    REQUIRE(::lstat("/dev/null", &status) == 0);
    CHECK(S_ISCHR(status.st_mode));
}

TEST_CASE("what cannot be opened is named with the reason") {
    const auto missing = direct_opener().file_to_read("/nowhere/at all");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == std::errc::no_such_file_or_directory);
    CHECK(missing.error().subject == "/nowhere/at all");
    const auto foreign = direct_opener().udp_socket({ip_address::v4(0xC0000201), 4000});
    REQUIRE_FALSE(foreign);
    CHECK(foreign.error().code == std::errc::address_not_available);
    CHECK(foreign.error().subject == "192.0.2.1:4000");
}

TEST_CASE("UDP sockets are bound and can share their address") {
    const endpoint local{ip_address::v4(0x7F000001), 40'123};
    const auto first = direct_opener().udp_socket(local);
    const auto second = direct_opener().udp_socket(local);
    CHECK(first);
    CHECK(second);
}

TEST_CASE("a client's UDP socket has a port that no other socket can share") {
    const ip_address loopback = ip_address::v4(0x7F000001);
    const auto own = direct_opener().udp_client_socket(loopback);
    REQUIRE(own);
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    REQUIRE(::getsockname(own->number(), reinterpret_cast<sockaddr*>(&bound), &size) == 0);
    CHECK(bound.sin_port != 0);
    const auto second = direct_opener().udp_socket({loopback, ntohs(bound.sin_port)});
    REQUIRE_FALSE(second);
    CHECK(second.error().code == std::errc::address_in_use);
}

TEST_CASE("a listener for datagrams has its address for itself") {
    const endpoint local{ip_address::v4(0x7F000001), 40'124};
    const auto first = direct_opener().datagram_listener(local);
    REQUIRE(first);
    const auto second = direct_opener().datagram_listener(local);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == std::errc::address_in_use);
    CHECK(second.error().subject == "127.0.0.1:40124");
}

TEST_CASE("listeners for connections are connected to, and do not block") {
    const auto listening = direct_opener().stream_listener({ip_address::v4(0x7F000001), 0});
    REQUIRE(listening);
    sockaddr_in where{};
    socklen_t size = sizeof where;
    REQUIRE(::getsockname(listening->number(), reinterpret_cast<sockaddr*>(&where), &size) == 0);
    CHECK(::accept(listening->number(), nullptr, nullptr) == -1);
    CHECK(errno == EAGAIN);
    const descriptor caller(::socket(AF_INET, SOCK_STREAM, 0));
    CHECK(::connect(caller.number(), reinterpret_cast<const sockaddr*>(&where), size) == 0);
    const auto foreign = direct_opener().stream_listener({ip_address::v4(0xC0000201), 4000});
    REQUIRE_FALSE(foreign);
    CHECK(foreign.error().code == std::errc::address_not_available);
    CHECK(foreign.error().subject == "192.0.2.1:4000");
}

TEST_CASE("a listener in the file system is its owner's alone, and takes no place") {
    const scratch here;
    const std::string path = here.path + "/file";
    REQUIRE(direct_opener().file_to_write(path));
    const auto taken = direct_opener().local_listener(path);
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == std::errc::address_in_use);
    CHECK(taken.error().subject == path);
    ::unlink(path.c_str());
    const auto made = direct_opener().local_listener(path);
    REQUIRE(made);
    struct stat there {};
    REQUIRE(::stat(path.c_str(), &there) == 0);
    CHECK((there.st_mode & 0777) == 0600);
    CHECK(S_ISSOCK(there.st_mode));
    CHECK_FALSE(direct_opener().local_listener(std::string(200, 'x')));
    CHECK_FALSE(direct_opener().local_listener(""));
}
