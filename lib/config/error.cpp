// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <flowtap/config/error.hpp>

namespace flowtap::config {

namespace {

class config_error_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "flowtap.config"; }

    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::text_too_long:
            return "the configuration is too long";
        case errc::too_deep:
            return "the blocks are nested too deeply";
        case errc::control_octet:
            return "a control character cannot stand here";
        case errc::unexpected_octet:
            return "this character must stand in quotes";
        case errc::unfinished_string:
            return "the string does not end on its line";
        case errc::unfinished_comment:
            return "the comment is not closed by */";
        case errc::unfinished_list:
            return "the list is not closed by ]";
        case errc::unfinished_block:
            return "the block is not closed by }";
        case errc::missing_semicolon:
            return "the statement does not end with a ;";
        case errc::unexpected_semicolon:
            return "there is no statement before this ;";
        case errc::unexpected_brace:
            return "this brace does not belong to a block";
        case errc::unexpected_bracket:
            return "this bracket does not belong to a list";
        case errc::invalid_name:
            return "this is not a name (letters, digits and - _ . @, at most 64 of them)";
        case errc::invalid_value:
            return "this is not one of the possible values";
        case errc::out_of_range:
            return "the number is out of range";
        case errc::not_a_number:
            return "this is not a number";
        case errc::invalid_address:
            return "this is not an address of the kind that is needed here";
        case errc::invalid_prefix:
            return "this is not an address or a prefix";
        case errc::invalid_interface:
            return "this is not the name of an interface";
        case errc::channelized:
            return "channelized interfaces cannot be used";
        case errc::unit_in_name:
            return "this is the name of a unit, but a physical interface is needed here";
        case errc::invalid_secret:
            return "the secret starts with $9$ but cannot be decoded";
        case errc::too_long:
            return "the value is too long";
        case errc::empty_value:
            return "the value is empty";
        case errc::unreadable_file:
            return "the file cannot be read";
        }
        return "unknown error";
    }
};

} // namespace

const std::error_category& config_category() noexcept {
    static const config_error_category category;
    return category;
}

} // namespace flowtap::config
