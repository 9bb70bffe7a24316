// SPDX-License-Identifier: Apache-2.0
// A product that reads RADIUS packets, and nothing else of libflowtap.
#include <cstddef>
#include <cstdio>
#include <vector>

#include <flowtap/radius/builder.hpp>
#include <flowtap/radius/packet.hpp>

using namespace flowtap;

namespace {

/// Adds octets up; it is the packet that counts here, not who made it.
class sum final : public radius::keyed_hash {
public:
    void reset() override { state_ = {}; }
    void update(byte_view octets) override {
        for (std::size_t i = 0; i < octets.size(); ++i)
            state_[i % state_.size()] ^= octets[i];
    }
    radius::digest finish() override { return state_; }

private:
    radius::digest state_{};
};

radius::cryptography sums() {
    return {[](std::initializer_list<byte_view> pieces) {
                sum all;
                for (const byte_view piece : pieces)
                    all.update(piece);
                return all.finish();
            },
            [](std::string_view) { return std::make_unique<sum>(); }, [](std::span<std::byte>) {}};
}

} // namespace

int main() {
    radius::shared_secret key(radius::secret("s3cret"), sums());
    radius::packet_builder start(radius::packet_code::accounting_request, 7,
                                 radius::message_authenticator::optional);
    if (!start.add(radius::attribute_type::user_name, "bob") ||
        !start.add_number(radius::attribute_type::acct_status_type, 1))
        return 1;
    const std::vector<std::byte> octets = std::move(start).finish(key);
    const auto packet = radius::packet_view::parse(octets);
    if (!packet || !radius::verify(*packet, key, radius::message_authenticator::optional))
        return 1;
    for (const radius::attribute_view& one : *packet)
        std::printf("%d of %zu\n", static_cast<int>(one.type), one.value.size());
}
