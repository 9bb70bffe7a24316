// SPDX-License-Identifier: Apache-2.0
#include "workload.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace flowtap::bench {

using namespace filter::sets;

namespace {

template <class T>
using names = std::initializer_list<std::pair<std::string_view, T>>;

template <class T>
T named(std::string_view name, names<T> all) {
    for (const auto& [known, value] : all) {
        if (known == name)
            return value;
    }
    refuse("unknown value " + std::string(name));
}

std::uint64_t number(std::string_view text) {
    return std::strtoull(std::string(text).c_str(), nullptr, 10);
}

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(at), text.size());
        parts.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

struct request {
    set_options set;
    trace_options trace;
    bool both_families = false;
    std::vector<std::string> sides;
};

void read_option(request& made, std::string_view name, std::string_view value) {
    if (name == "shape")
        made.set.shape = named<set_shape>(value, {{"intercept", set_shape::intercept},
                                                  {"firewall", set_shape::firewall},
                                                  {"ports", set_shape::ports},
                                                  {"scopes", set_shape::scopes},
                                                  {"icmp", set_shape::icmp}});
    else if (name == "family" && value == "both")
        made.both_families = true;
    else if (name == "family")
        made.set.of = named<family>(value, {{"inet", family::inet}, {"inet6", family::inet6}});
    else if (name == "count")
        made.set.count = number(value);
    else if (name == "seed")
        made.set.seed = number(value);
    else if (name == "dress")
        made.set.dress = named<set_dress>(
            value, {{"plain", set_dress::plain}, {"elaborate", set_dress::elaborate}});
    else if (name == "sites")
        made.set.where = named<locality>(
            value, {{"anywhere", locality::anywhere}, {"clustered", locality::clustered}});
    else if (name == "hits")
        made.trace.hit_percent = static_cast<unsigned>(number(value));
    else if (name == "near")
        made.trace.misses = named<nearness>(value, {{"mixed", nearness::mixed},
                                                    {"elsewhere", nearness::elsewhere},
                                                    {"same-16", nearness::same_16},
                                                    {"same-24", nearness::same_24},
                                                    {"same-host", nearness::same_host}});
    else if (name == "sides")
        for (const std::string_view side : split(value, '+'))
            made.sides.emplace_back(side);
    else
        refuse("unknown option " + std::string(name));
}

request read_request(std::string_view text) {
    request made;
    for (const std::string_view option : split(text, ',')) {
        const std::size_t equals = std::min(option.find('='), option.size());
        read_option(made, option.substr(0, equals),
                    option.substr(std::min(equals + 1, option.size())));
    }
    return made;
}

/// Half of the filters and packets for IPv4, half for IPv6, packets in turn.
void draw_both(request& from, workload& into) {
    std::array<std::vector<packet_key>, 2> keys;
    const std::array<family, 2> families = {family::inet, family::inet6};
    const std::size_t packets = from.trace.packets;
    from.set.count /= 2;
    from.trace.packets /= 2;
    for (std::size_t i = 0; i < 2; ++i) {
        from.set.of = families[i];
        from.set.seed = from.set.seed * 2 + i;
        filter_set set(from.set);
        keys[i] = set.trace(from.trace);
        into.filters.insert(into.filters.end(), set.filters().begin(), set.filters().end());
    }
    for (std::size_t i = 0; i < packets; ++i)
        into.keys.push_back(keys[i % 2][i / 2]);
}

/// Holds the lookup by prefix against asking every filter, on as many packets as take a second.
void check_definitions(const workload& made) {
    const std::size_t packets = std::min<std::size_t>(
        made.keys.size(), 50'000'000 / std::max<std::size_t>(1, made.filters.size()));
    for (std::size_t i = 0; i < packets; ++i) {
        std::vector<std::uint32_t> all;
        for (std::size_t j = 0; j < made.filters.size(); ++j) {
            if (filter::matches(made.filters[j], made.keys[i]))
                all.push_back(static_cast<std::uint32_t>(j));
        }
        if (!std::ranges::equal(all, made.expected(i))) {
            std::fprintf(stderr, "packet %zu: the lookup by prefix misses a filter\n", i);
            std::exit(2);
        }
    }
}

} // namespace

void refuse(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(3);
}

std::size_t workload::hits() const {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < keys.size(); ++i)
        sum += expected(i).empty() ? 0 : 1;
    return sum;
}

workload make_workload(std::string_view text, std::size_t packets) {
    request from = read_request(text);
    from.trace.packets = packets;
    workload made;
    made.text = text;
    made.sides = from.sides;
    if (from.both_families) {
        draw_both(from, made);
    } else {
        filter_set set(from.set);
        made.keys = set.trace(from.trace);
        made.filters = set.filters();
    }
    for (std::size_t i = 0; i < made.filters.size(); ++i)
        made.criteria.push_back(
            filter::criterion::make(slot_id(static_cast<std::uint32_t>(i)), made.filters[i])
                .value());
    const reference_matcher reference(made.filters);
    std::vector<std::uint32_t> found;
    made.ends.push_back(0);
    for (const packet_key& key : made.keys) {
        reference.find(key, found);
        made.numbers.insert(made.numbers.end(), found.begin(), found.end());
        made.ends.push_back(made.numbers.size());
    }
    check_definitions(made);
    return made;
}

} // namespace flowtap::bench
