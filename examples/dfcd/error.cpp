// SPDX-License-Identifier: Apache-2.0
#include "error.hpp"

#include <string>

namespace dfcd {

namespace {

class dfcd_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "dfcd"; }

    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::interface_not_configured:
            return "the interface is not configured";
        case errc::criterion_refused:
            return "a criterion of the file was refused";
        case errc::criterion_unanswered:
            return "a request of the file was not answered";
        case errc::login_of_criteria_file:
            return "a login has the name that the criteria of --criteria belong to";
        }
        return "unknown error";
    }
};

} // namespace

const std::error_category& category() noexcept {
    static const dfcd_category instance;
    return instance;
}

} // namespace dfcd
