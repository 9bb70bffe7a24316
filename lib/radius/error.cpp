// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <flowtap/radius/error.hpp>

namespace flowtap::radius {

namespace {

class radius_error_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "flowtap.radius"; }

    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::truncated:
            return "the packet ends before its length says so";
        case errc::oversized:
            return "the packet is longer than 4096 octets";
        case errc::invalid_length:
            return "the packet's length is less than that of its header";
        case errc::malformed_attribute:
            return "the attribute does not fit into the packet";
        case errc::malformed_vendor_attribute:
            return "the vendor's attribute does not fit into the one around it";
        case errc::wrong_size:
            return "the attribute's value has not the size of its type";
        case errc::repeated_attribute:
            return "the attribute stands there twice";
        case errc::empty_value:
            return "the attribute's value is empty";
        case errc::value_too_long:
            return "the value does not fit into an attribute";
        case errc::packet_full:
            return "the attribute does not fit into 4096 octets";
        case errc::wrong_authenticator:
            return "the authenticator is not made with this shared secret";
        case errc::missing_message_authenticator:
            return "there is no Message-Authenticator";
        case errc::wrong_message_authenticator:
            return "the Message-Authenticator is not made with this secret";
        case errc::malformed_hidden_value:
            return "the hidden value cannot be revealed with this shared secret";
        case errc::invalid_login:
            return "the login is empty, longer than 253 octets or holds a zero octet";
        case errc::invalid_password:
            return "the password is empty, longer than 128 octets or holds a zero octet";
        case errc::invalid_secret:
            return "the shared secret is empty";
        case errc::invalid_server:
            return "the server has no port, no time, no tries or a source address of the other "
                   "family";
        case errc::no_server:
            return "there is no RADIUS server to ask";
        case errc::too_many_logins:
            return "too many logins are under way";
        case errc::missing_attribute:
            return "an attribute that must be there is not";
        case errc::value_out_of_range:
            return "the attribute's value is none that it may have";
        case errc::too_many_values:
            return "there are more values than one session may have";
        case errc::invalid_client:
            return "there is no client, one with an address that no host has, or the same twice";
        case errc::invalid_limit:
            return "a limit or a time is not positive";
        }
        return "unknown error";
    }
};

} // namespace

const std::error_category& radius_category() noexcept {
    static const radius_error_category category;
    return category;
}

} // namespace flowtap::radius
