// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <flowtap/dtcp/reader.hpp>
#include <flowtap/dtcp/timestamp.hpp>

#include "response_builder.hpp"
#include "start_line_grammar.hpp"
#include "text.hpp"

namespace flowtap::dtcp {

response_handler::~response_handler() = default;

/// Works line by line: only the line and the entry at hand are kept.
class response_reader::state {
public:
    state(response_handler& handler, keyed_hash* hash, reader_limits limits)
        : handler_(handler), hash_(hash), limits_(limits) {}

    result<void> put(std::string_view octets);
    bool in_message() const noexcept { return status_.has_value() || !line_.empty(); }

private:
    result<void> take_line();
    result<void> take_parameter(std::string_view text);
    result<void> take_known(parameter name, std::string_view value);
    result<void> begin_message(std::string_view text);
    result<void> end_message();
    result<void> end_entry();
    bool ends_with_entry() const noexcept;
    authenticity check_signature();
    unexpected<error> stop(errc code, std::string_view about);

    response_handler& handler_;
    keyed_hash* hash_;
    reader_limits limits_;
    std::optional<error> failure_;

    std::string line_;
    std::size_t line_number_ = 0;
    /// Of the message at hand; none between messages.
    std::optional<status_line> status_;
    std::optional<std::uint64_t> seq_;
    std::optional<wall_time> timestamp_;
    std::optional<std::string> signature_;
    std::optional<std::uint32_t> num_criteria_;
    /// The entry at hand, or what a response without entries has.
    parameter_group group_;
    /// An entry was handed over, so this is a LIST answer.
    bool has_entries_ = false;
};

unexpected<error> response_reader::state::stop(errc code, std::string_view about) {
    failure_ = error(make_error_code(code), {line_number_, 0}, std::string(about));
    return fail(*failure_);
}

result<void> response_reader::state::put(std::string_view octets) {
    if (failure_)
        return fail(*failure_);
    while (!octets.empty()) {
        const std::size_t end = octets.find('\n');
        const std::size_t count = end == std::string_view::npos ? octets.size() : end + 1;
        const std::size_t room = limits_.line + 2 - std::min(limits_.line + 2, line_.size());
        line_ += octets.substr(0, std::min(count, room));
        octets.remove_prefix(count);
        if (count > room || without_line_end(line_).size() > limits_.line)
            return stop(errc::line_too_long, {});
        if (end == std::string_view::npos)
            continue;
        if (auto taken = take_line(); !taken)
            return taken;
        line_.clear();
    }
    return {};
}

result<void> response_reader::state::take_line() {
    const std::string_view text = strip_line(line_);
    if (!status_)
        return text.empty() ? result<void>() : begin_message(text);
    ++line_number_;
    if (text.empty())
        return end_message();
    if (signature_)
        return {}; // what follows Authentication-Info is disregarded
    return take_parameter(text);
}

result<void> response_reader::state::begin_message(std::string_view text) {
    line_number_ = 1;
    const auto parsed = parse_status_line(text);
    if (!parsed)
        return stop(errc::malformed_status_line, text);
    status_ = parsed;
    seq_.reset();
    timestamp_.reset();
    signature_.reset();
    num_criteria_.reset();
    group_.clear();
    has_entries_ = false;
    if (hash_ != nullptr) {
        hash_->reset();
        hash_->update(as_byte_view(line_));
    }
    return {};
}

result<void> response_reader::state::take_parameter(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos)
        return stop(errc::malformed_line, text);
    const auto known = find_parameter(trim_end(text.substr(0, colon)));
    const std::string_view value = trim_start(text.substr(colon + 1));
    if (known == parameter::authentication_info) {
        signature_ = value;
        return {};
    }
    if (hash_ != nullptr)
        hash_->update(as_byte_view(line_));
    return known ? take_known(*known, value) : result<void>();
}

result<void> response_reader::state::take_known(parameter name, std::string_view value) {
    if (name == parameter::seq) {
        const auto number = parse_unsigned<std::uint64_t>(value);
        if (!number)
            return stop(errc::invalid_value, value);
        seq_ = seq_.value_or(*number);
        return {};
    }
    if (name == parameter::num_criteria) {
        num_criteria_ = parse_unsigned<std::uint32_t>(value);
        return {};
    }
    // A timestamp outside of an entry, before the first or after the last, is the response's.
    if (name == parameter::timestamp && (group_.empty() || group_.has(parameter::timestamp))) {
        const auto moment = parse_timestamp(value);
        if (moment && !timestamp_)
            timestamp_ = *moment;
        return {};
    }
    const bool may_list = status_->code == static_cast<std::uint16_t>(status_code::ok);
    if (may_list && !group_.empty() && name == group_.leader())
        if (auto ended = end_entry(); !ended)
            return ended;
    if (group_.size() >= limits_.entry_parameters)
        return stop(errc::too_many_parameters, {});
    group_.add(name, value);
    return {};
}

result<void> response_reader::state::end_entry() {
    auto entry = build_entry(group_);
    if (!entry)
        return stop(errc::invalid_value, name_of(parameter::criteria_id));
    handler_.on_entry(*std::move(entry));
    has_entries_ = true;
    group_.clear();
    return {};
}

/// Whether what came last is an entry. Only entries have these parameters.
bool response_reader::state::ends_with_entry() const noexcept {
    if (status_->code != static_cast<std::uint16_t>(status_code::ok) || group_.empty())
        return false;
    return has_entries_ || group_.has(parameter::criteria_num) ||
           group_.has(parameter::csource_id) || group_.has(parameter::csource_address);
}

authenticity response_reader::state::check_signature() {
    if (hash_ == nullptr)
        return authenticity::unchecked;
    const auto computed = hash_->finish();
    const auto claimed = signature_ ? parse_digest(*signature_) : std::nullopt;
    return claimed && equal_in_constant_time(computed, *claimed) ? authenticity::verified
                                                                 : authenticity::failed;
}

result<void> response_reader::state::end_message() {
    if (ends_with_entry())
        if (auto ended = end_entry(); !ended)
            return ended;
    const auto status = static_cast<status_code>(status_->code);
    const authenticity signature = check_signature();
    if (!timestamp_)
        timestamp_ = group_.time(parameter::timestamp);
    const wall_time when = timestamp_.value_or(wall_time());
    const version spoken = status_->spoken;
    status_.reset();

    if (is_notification(status)) {
        notification told{.spoken = spoken, .status = status, .timestamp = when};
        fill_notification(told, group_);
        handler_.on_notification(std::move(told), signature);
        return {};
    }
    response answer{.spoken = spoken,
                    .status = status,
                    .seq = sequence_number(seq_.value_or(0)),
                    .timestamp = when};
    fill_response(answer, group_);
    if (num_criteria_)
        answer.criteria_count = num_criteria_;
    handler_.on_response(std::move(answer), signature);
    return {};
}

response_reader::response_reader(response_handler& handler, keyed_hash* hash, reader_limits limits)
    : state_(std::make_unique<state>(handler, hash, limits)) {}

response_reader::~response_reader() = default;

result<void> response_reader::put(byte_view octets) {
    return state_->put(as_text(octets));
}

bool response_reader::in_message() const noexcept {
    return state_->in_message();
}

} // namespace flowtap::dtcp
