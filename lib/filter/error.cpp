// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <flowtap/filter/criterion.hpp>

namespace flowtap::filter {

namespace {

class filter_error_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "flowtap.filter"; }

    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::no_family:
            return "the filter names no family to look at";
        case errc::family_conflict:
            return "addresses need exactly one family, and it must be IPv4 or IPv6";
        case errc::reversed_range:
            return "a range ends before it begins";
        case errc::port_pairs_differ:
            return "paired port lists differ in length";
        case errc::port_pairs_negated:
            return "paired port lists have a negated entry";
        case errc::too_many_port_pairs:
            return "more than 15 port pairs";
        case errc::empty_scope:
            return "the scope names no interface";
        case errc::too_many_criteria:
            return "more criteria than the limit allows";
        case errc::too_many_entries:
            return "more entries in lists than the limit allows";
        case errc::too_much_memory:
            return "the compiled criteria take more memory than the limit allows";
        case errc::duplicate_slot:
            return "two criteria have the same slot";
        }
        return "unknown error";
    }
};

} // namespace

const std::error_category& filter_category() noexcept {
    static const filter_error_category instance;
    return instance;
}

} // namespace flowtap::filter
