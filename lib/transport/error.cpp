// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <flowtap/transport/error.hpp>

namespace flowtap::transport {

namespace {

class transport_error_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "flowtap.transport"; }

    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::host_key_unreadable:
            return "the host key file cannot be read as a private key";
        case errc::host_key_exposed:
            return "the host key file can be read by others than its owner";
        case errc::host_key_not_made:
            return "a new host key cannot be made or stored";
        case errc::ssh_setup_failed:
            return "the SSH library refused its settings";
        case errc::connection_failed:
            return "the SSH connection could not be made";
        case errc::host_key_unknown:
            return "the server's host key is not known";
        case errc::host_key_changed:
            return "the server's host key is not the one that is known for it";
        case errc::fingerprint_mismatch:
            return "the server's host key has another fingerprint than required";
        case errc::known_hosts_unwritable:
            return "the host key could not be stored as known";
        case errc::login_refused:
            return "the server refused the login";
        case errc::channel_refused:
            return "the server refused the service";
        case errc::channel_closed:
            return "the server closed the channel";
        case errc::connection_lost:
            return "the connection broke";
        case errc::timed_out:
            return "the server did not answer in time";
        case errc::host_not_found:
            return "the host has no address";
        }
        return "unknown error";
    }
};

} // namespace

const std::error_category& transport_category() noexcept {
    static const transport_error_category category;
    return category;
}

} // namespace flowtap::transport
