// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "add_parser.hpp"

namespace flowtap::dtcp {

namespace {

constexpr parameter triggers[] = {
    parameter::x_user_name,    parameter::x_act_sess_id, parameter::x_ip_addr,
    parameter::x_interface_id, parameter::x_nas_port_id, parameter::x_rm_circuit_id,
    parameter::x_call_sta_id,
};

std::optional<std::uint64_t> parse_hexadecimal(std::string_view digits) {
    std::uint64_t number = 0;
    const char* const last = digits.data() + digits.size();
    const auto [end, problem] = std::from_chars(digits.data(), last, number, 16);
    if (problem != std::errc{} || end != last)
        return std::nullopt;
    return number;
}

/// The top two bits of the first word say how long an intercept id is.
result<intercept_id> read_intercept_id(const header_line& line) {
    std::string_view digits = line.value;
    if (digits.starts_with("0x") || digits.starts_with("0X"))
        digits.remove_prefix(2);
    const auto number = parse_hexadecimal(digits);
    if (!number)
        return fail_at(errc::invalid_value, line);
    intercept_id id;
    if (digits.size() == 8) {
        id.first = static_cast<std::uint32_t>(*number);
    } else if (digits.size() == 16) {
        id.first = static_cast<std::uint32_t>(*number >> 32);
        id.second = static_cast<std::uint32_t>(*number);
    } else {
        return fail_at(errc::invalid_value, line);
    }
    const std::uint32_t expected_top = id.second ? 0 : 1;
    if (id.first >> 30 != expected_top)
        return fail_at(errc::invalid_value, line);
    return id;
}

result<void> read_trigger(const field_table& fields, subscriber_parameters& subscriber) {
    const header_line* chosen = nullptr;
    for (const parameter trigger : triggers) {
        const header_line* const line = fields.find(trigger);
        if (line == nullptr)
            continue;
        if (chosen != nullptr)
            return fail_at(errc::ambiguous_selector, *line);
        chosen = line;
        subscriber.trigger = trigger;
    }
    if (chosen == nullptr)
        return fail(errc::missing_selector);
    auto value = read_token(*chosen, errc::invalid_value);
    if (!value)
        return fail(value.error());
    if (subscriber.trigger == parameter::x_ip_addr && !parse_ip_address(*value))
        return fail_at(errc::invalid_value, *chosen);
    subscriber.trigger_value = std::move(*value);
    return {};
}

result<std::optional<std::string>> read_optional_token(const header_line* line) {
    if (line == nullptr)
        return std::optional<std::string>();
    auto token = read_token(*line, errc::invalid_value);
    if (!token)
        return fail(token.error());
    return std::optional(*std::move(token));
}

} // namespace

result<std::optional<subscriber_parameters>> read_subscriber(const field_table& fields) {
    const header_line* const line = fields.find(parameter::x_md_intercept_id);
    if (line == nullptr)
        return std::optional<subscriber_parameters>();

    subscriber_parameters subscriber;
    const auto intercept = read_intercept_id(*line);
    if (!intercept)
        return fail(intercept.error());
    subscriber.intercept = *intercept;
    if (const auto done = read_trigger(fields, subscriber); !done)
        return fail(done.error());
    auto logical_system = read_optional_token(fields.find(parameter::x_logical_system));
    if (!logical_system)
        return fail(logical_system.error());
    subscriber.logical_system = std::move(*logical_system);
    auto instance = read_optional_token(fields.find(parameter::x_router_instance));
    if (!instance)
        return fail(instance.error());
    subscriber.router_instance = std::move(*instance);
    return std::optional(std::move(subscriber));
}

} // namespace flowtap::dtcp
