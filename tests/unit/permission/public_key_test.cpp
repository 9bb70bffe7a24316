// SPDX-License-Identifier: Apache-2.0
#include <ostream>
#include <string>

#include <doctest/doctest.h>

#include <flowtap/permission/public_key.hpp>

using namespace flowtap::permission;

namespace {

const std::string ed25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIKms3ceru/mE6XMypMHSwj5JXrJoLwF1iJk6Ad3N0nks";
const std::string ecdsa =
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBENe1CMP"
    "EUv5IdnNHJZkBXqH0Kujcvogd8Z1487IdB71u6TgmEr2pTA7jEw5B4Pc3C3Uq2bXdbK9LKDbZ68hXtE=";
const std::string rsa =
    "AAAAB3NzaC1yc2EAAAADAQABAAABAQC7KetW19BGL42DxK98c/s+Inqg7X+DGZf2yPB3YiJ6Nrfnr89e"
    "KT86+BFzwwlKEoh9ExFaRqmAWITEqR/tOhEPUhOT+VGlJuCm3wOUu2UlDToXqQkIQQ7z4sax0QdshbLx"
    "nYZJvAMohV0lh4LhkYr0Emsaap3HDTDB9fGufknnp7YjOCpokN4xP3c7EBVOV5MQI6HDL7UOcm6JqGEE"
    "2EMWT0B9jVr4PQ0prSle2xPJhRUNubkUqtwK1XRYaNF4jox8J1QwAfASoISP61qMwUlDzrhKOQj+GrYy"
    "LPmoCTUkUEsqFnerot/qqU/w/nq1r8tvL9F6rgpDdpikG4v0opz9";

} // namespace

TEST_CASE("public keys of each accepted algorithm are read and written back") {
    const std::string lines[] = {
        "ssh-ed25519 " + ed25519 + " md1@lab", "ecdsa-sha2-nistp256 " + ecdsa + " md1@lab",
        "ssh-rsa " + rsa + " a comment of words", "ssh-ed25519 " + ed25519};
    for (const auto& line : lines) {
        const auto key = parse_public_key(line);
        REQUIRE_MESSAGE(key.has_value(), line);
        CHECK(to_string(*key) == line);
    }
    const auto key = parse_public_key("  ssh-ed25519\t" + ed25519 + "   md1@lab \r\n");
    REQUIRE(key.has_value());
    CHECK(key->algorithm == "ssh-ed25519");
    CHECK(key->blob.size() == 51);
    CHECK(key->comment == "md1@lab");
}

TEST_CASE("keys are the same when algorithm and octets are, whatever the comment") {
    const auto stored = parse_public_key("ssh-ed25519 " + ed25519 + " one");
    const auto offered = make_public_key("ssh-ed25519", ed25519);
    const auto other = make_public_key("ecdsa-sha2-nistp256", ecdsa);
    REQUIRE(stored.has_value());
    REQUIRE(offered.has_value());
    REQUIRE(other.has_value());
    CHECK(*stored == *offered);
    CHECK_FALSE(*stored == *other);
    auto changed = *offered;
    changed.blob.back() ^= std::byte{1};
    CHECK_FALSE(*stored == changed);
}

TEST_CASE("what is no acceptable public key is refused with its reason") {
    struct row {
        std::string line;
        errc reason;
    };
    const row rows[] = {
        {"", errc::invalid_public_key},
        {"...", errc::invalid_public_key},
        {"ssh-ed25519", errc::invalid_public_key},
        {"ssh-ed25519 " + ed25519.substr(0, 40), errc::invalid_public_key},
        {"ssh-ed25519 " + ed25519.substr(0, 41), errc::invalid_public_key},
        {"ssh-ed25519 " + ed25519.substr(0, 67) + "=", errc::invalid_public_key},
        {"ssh-ed25519 !" + ed25519.substr(1), errc::invalid_public_key},
        {"ssh-ed25519 ====", errc::invalid_public_key},
        {"ssh-rsa " + ed25519, errc::key_algorithm_mismatch},
        {"ssh-dss " + ed25519, errc::unsupported_key_algorithm},
        {"sk-ssh-ed25519@openssh.com " + ed25519, errc::unsupported_key_algorithm},
        {"restrict ssh-ed25519 " + ed25519, errc::key_options_refused},
        {"command=\"echo hello\",no-pty ssh-ed25519 " + ed25519, errc::key_options_refused},
    };
    for (const row& r : rows) {
        CAPTURE(r.line);
        const auto key = parse_public_key(r.line);
        REQUIRE_FALSE(key.has_value());
        CHECK(key.error().code == r.reason);
        CHECK_FALSE(key.error().code.message().empty());
        CHECK(key.error().subject.empty());
    }
}

TEST_CASE("a line cut anywhere is read or refused, never crashes") {
    const std::string line = "ssh-rsa " + rsa + " comment";
    for (std::size_t length = 0; length < line.size(); ++length) {
        const auto key = parse_public_key(line.substr(0, length));
        CHECK(key.has_value() == (length >= 8 + rsa.size()));
    }
}
