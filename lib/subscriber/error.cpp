// SPDX-License-Identifier: Apache-2.0
#include <flowtap/subscriber/error.hpp>

#include <string>

namespace flowtap::subscriber {

namespace {

class error_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "flowtap.subscriber"; }

    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::too_many_sessions:
            return "there are as many subscriber sessions as there may be";
        case errc::invalid_session:
            return "the session has no identity, or more or longer attributes than may be";
        case errc::unknown_session:
            return "there is no such session";
        case errc::mirrored_by_another:
            return "another intercept was first and mirrors the session";
        case errc::no_session_number:
            return "the Acct-Session-Id has no number in it for the mirror header";
        case errc::no_egress:
            return "no member of the pool can be used";
        }
        return "unknown error";
    }
};

} // namespace

const std::error_category& subscriber_category() noexcept {
    static const error_category category;
    return category;
}

} // namespace flowtap::subscriber
