// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include <boost/spirit/home/x3.hpp>

#include "range_grammar.hpp"
#include "text.hpp"

/// What the list grammars of numbers and of addresses share. Included by their two .cpp files only.
namespace flowtap::dtcp::range_rules {

namespace x3 = boost::spirit::x3;

using token_range = boost::iterator_range<std::string_view::const_iterator>;

/// Where a grammar puts what it finds.
template <class Value>
struct collector {
    std::string_view text;
    /// Makes a value of a token, or none.
    std::optional<Value> (*value_of)(std::string_view token);
    std::vector<written_entry<Value>> entries;

    std::size_t offset_of(std::string_view::const_iterator place) const {
        return static_cast<std::size_t>(place - text.begin());
    }
    std::optional<Value> value_of_range(const token_range& token) const {
        return value_of(text.substr(offset_of(token.begin()), token.size()));
    }
};

/// Names the collector among what semantic actions can reach.
struct collector_tag;

template <class Context>
auto& collected(Context& context) {
    return x3::get<collector_tag>(context).get();
}

template <class Context>
auto& current(Context& context) {
    return collected(context).entries.back();
}

const auto begin_entry = [](auto& context) { collected(context).entries.emplace_back(); };
const auto note_negation = [](auto& context) { current(context).negated = true; };
const auto note_length = [](auto& context) { current(context).length = _attr(context); };

const auto note_first_any = [](auto& context) {
    current(context).first = {{}, collected(context).offset_of(_attr(context).begin())};
};
const auto note_first = [](auto& context) {
    const auto value = collected(context).value_of_range(_attr(context));
    _pass(context) = value.has_value();
    current(context).first = {value, collected(context).offset_of(_attr(context).begin())};
};
const auto note_last_any = [](auto& context) {
    current(context).last = {{}, collected(context).offset_of(_attr(context).begin())};
};
const auto note_last = [](auto& context) {
    const auto value = collected(context).value_of_range(_attr(context));
    _pass(context) = value.has_value();
    current(context).last = {value, collected(context).offset_of(_attr(context).begin())};
};

const auto wildcard = x3::raw[x3::lit('*')];
const auto separator = ',' >> *x3::blank;
/// A prefix length: N8BITNUM.
const auto prefix_length = x3::uint_parser<std::uint64_t, 10, 1, 3>{};

/// `["!"] bound`: how every entry begins.
template <class Token>
auto entry_start(const Token& token) {
    return x3::eps[begin_entry] >> -x3::lit('!')[note_negation] >>
           (wildcard[note_first_any] | token[note_first]);
}

/// `"-" bound`: the other side of a range.
template <class Token>
auto range_end(const Token& token) {
    return '-' >> (wildcard[note_last_any] | token[note_last]);
}

/// `* - *` is no form of an entry, and a length needs an address before it.
template <class Value>
std::optional<std::size_t> find_bad_form(const std::vector<written_entry<Value>>& entries) {
    for (const auto& entry : entries) {
        const bool open_range = entry.last && !entry.first.value && !entry.last->value;
        if (open_range || (entry.length && !entry.first.value))
            return entry.first.offset;
    }
    return std::nullopt;
}

/// Runs an entry rule over a whole list. Where it stops at a comma, the entry after the comma is
/// what is wrong.
template <class Value, class Rule>
result<std::vector<written_entry<Value>>, std::size_t> run(collector<Value> found,
                                                           const Rule& entry) {
    const std::string_view text = ascii_prefix(found.text);
    auto place = text.begin();
    const bool matched =
        x3::parse(place, text.end(), x3::with<collector_tag>(std::ref(found))[entry % separator]);
    if (!matched || place != text.end()) {
        x3::parse(place, text.end(), separator);
        return unexpected<std::size_t>(found.offset_of(place));
    }
    if (text.size() < found.text.size())
        return unexpected<std::size_t>(text.size());
    if (const auto bad = find_bad_form(found.entries))
        return unexpected<std::size_t>(*bad);
    return std::move(found.entries);
}

} // namespace flowtap::dtcp::range_rules
