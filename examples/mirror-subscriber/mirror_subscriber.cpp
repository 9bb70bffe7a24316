// SPDX-License-Identifier: Apache-2.0
// A BNG that sees its subscribers' logins itself: the Access-Accept says to mirror one, and the
// BNG's own data plane, which stands behind `mirror_port`, is told what to copy and where to.
#include <array>
#include <iostream>
#include <memory>
#include <utility>

#include <flowtap/crypto/digest.hpp>
#include <flowtap/crypto/hmac.hpp>
#include <flowtap/packet/intercept_id.hpp>
#include <flowtap/radius/builder.hpp>
#include <flowtap/radius/hidden.hpp>
#include <flowtap/radius/subscriber.hpp>
#include <flowtap/subscriber/mirroring.hpp>

using namespace flowtap;

namespace {

/// The product's data plane. Here it says what it is asked for.
class data_plane final : public tap::mirror_port {
public:
    result<tap::mirror_number> add_mirror(const tap::mirror& what) override {
        const packet::encapsulation& to = what.copies.front();
        std::cout << "mirror " << to_string(what.addresses.front()) << " to "
                  << to_string(to.destination) << ", intercept " << to.mirror.intercept_id
                  << ", session " << to.mirror.session_id << '\n';
        return tap::mirror_number(++last_);
    }
    result<void> change_mirror(tap::mirror_number, const tap::mirror&) override { return {}; }
    void remove_mirror(tap::mirror_number) override { std::cout << "mirror no more\n"; }

private:
    std::uint64_t last_ = 0;
};

/// What is told here belongs into an audit log and nowhere else.
class no_audit final : public subscriber::event_listener {
    void on_event(const subscriber::event&, time_stamp) override {}
};

radius::cryptography with_openssl() {
    using hash = crypto::keyed_hash_as<radius::keyed_hash, crypto::hmac_md5>;
    return {crypto::md5, [](std::string_view key) { return std::make_unique<hash>(key); },
            crypto::fill_random};
}

/// The answer of a RADIUS server that wants this login mirrored.
std::vector<std::byte> access_accept(radius::shared_secret& key,
                                     const radius::authenticator& asked) {
    const std::pair<std::uint8_t, std::uint32_t> values[] = {
        {58, 1}, {59, 0x40000007}, {60, 0xC0000205}, {61, 6502}};
    radius::packet_builder made(radius::packet_code::access_accept, 7);
    for (const auto& [type, value] : values) {
        std::array<std::byte, 4> octets{};
        store_big_endian(std::span(octets), value);
        const auto hidden = radius::hide_with_salt(octets, type, key, asked);
        if (!hidden || !made.add_vendor(radius::vendor::juniper_erx, type, byte_view(*hidden)))
            return {};
    }
    return std::move(made).finish(key, asked);
}

} // namespace

int main() {
    subscriber::mirroring_settings settings;
    settings.source_address = ip_address::v4(0xC6336409);
    no_audit nobody;
    subscriber::mirroring subscribers(settings, nobody);
    data_plane forwarding;
    subscribers.attach(forwarding);

    // The login: what came in the Access-Accept is announced for the session that is to begin.
    radius::shared_secret key(radius::secret("s3cret"), with_openssl());
    const radius::authenticator asked{std::byte{1}, std::byte{2}, std::byte{3}};
    const auto datagram = access_accept(key, asked);
    const auto accept = radius::packet_view::parse(datagram);
    if (!accept || !radius::verify(*accept, key, radius::message_authenticator::required, asked))
        return 1;
    const subscriber::session_identity session{"this BNG", "4711"};
    const auto order = radius::read_mirror_order(*accept, key, asked);
    if (order && *order) {
        const auto id = packet::read_intercept_id((*order)->handle);
        if (!id || !subscribers.authorize_login(
                       session, static_cast<subscriber::li_action>((*order)->action),
                       {*id, {(*order)->address.value_or(ip_address()), (*order)->port}}, {}))
            return 1;
    }

    // The session begins with its address, and ends.
    subscriber::session_record bob{session, "bob", {{ip_address::v4(0x0A000001), 32}}};
    if (!subscribers.put_session(bob, {}))
        return 1;
    subscribers.end_session(session, {});
    return 0;
}
