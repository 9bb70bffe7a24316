// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <flowtap/packet/error.hpp>

namespace flowtap::packet {

namespace {

class packet_error_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "flowtap.packet"; }

    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::not_ip:
            return "the frame holds no IP packet";
        case errc::cut_short:
            return "the packet was not captured whole";
        case errc::malformed:
            return "the packet's headers are not consistent";
        case errc::fragment:
            return "the packet is a fragment";
        case errc::not_encapsulated:
            return "the packet is not encapsulated in the expected way";
        case errc::invalid_dscp:
            return "the DSCP is greater than 63";
        case errc::invalid_intercept_id:
            return "the intercept id is not of 8 or 16 hexadecimal digits with the right top bits";
        case errc::too_long:
            return "the copy would be longer than 65535 octets";
        case errc::mtu_too_small:
            return "the MTU leaves no room for a packet's first fragment";
        }
        return "unknown error";
    }
};

} // namespace

const std::error_category& packet_category() noexcept {
    static const packet_error_category category;
    return category;
}

} // namespace flowtap::packet
