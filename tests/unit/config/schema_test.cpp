// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/config/load.hpp>
#include <flowtap/config/schema.hpp>

using namespace flowtap;
using namespace flowtap::config;

namespace {

std::string first_choice(const schema_row& row) {
    return std::string(row.choices.substr(0, row.choices.find(' ')));
}

/// A value that a row takes.
std::string sample_value(const schema_row& row) {
    switch (row.type) {
    case value_type::none:
        return "";
    case value_type::name:
        // Numbers or ranges of them, which the model looks at.
        if (row.kind == statement_kind::list && row.path.find("drop-policy") != row.path.npos)
            return "7";
        return row.path == "system login user * class" ? "read-only" : "some-name";
    case value_type::text:
        return "\"some text\"";
    case value_type::number:
        return row.kind == statement_kind::entry
                   ? "7"
                   : std::to_string(row.least == 0 ? row.most : row.least);
    case value_type::port:
        return "32002";
    case value_type::choice:
        return first_choice(row);
    case value_type::address:
    case value_type::ipv4_address:
        return "192.0.2.9";
    case value_type::prefix:
        return row.path.find("inet6") != std::string_view::npos ||
                       row.path.find("ipv6") != std::string_view::npos
                   ? "2001:db8::/32"
                   : "192.0.2.0/24";
    case value_type::interface_name:
        return "ge-0/0/0";
    case value_type::unit_name:
        return "ge-0/0/0.7";
    case value_type::device_name:
        return "eth0";
    case value_type::secret:
        return "hush-hush";
    case value_type::password_hash:
        return "\"*\"";
    case value_type::public_key:
        return "\"ssh-ed25519 AAAA\"";
    case value_type::bandwidth:
        return "10m";
    case value_type::permission:
        return "view";
    case value_type::version:
        return "0.7";
    }
    return "";
}

/// The words that lead to a row from the top, with sample keys and values.
std::string sample_path(const schema_row& row) {
    std::string words;
    std::string path;
    std::string rest(row.path);
    while (!rest.empty()) {
        const std::string step = rest.substr(0, rest.find(' '));
        rest.erase(0, std::min(rest.size(), step.size() + 1));
        path += (path.empty() ? "" : " ") + step;
        words += words.empty() ? "" : " ";
        words += step == "*" ? sample_value(*find_row(path)) : step;
    }
    const bool keyed = row.path.ends_with('*');
    if (!keyed && (row.kind == statement_kind::value || row.kind == statement_kind::list))
        words += ' ' + sample_value(row);
    return words;
}

bool knows_statement(const loaded& done) {
    return std::none_of(done.found.begin(), done.found.end(), [](const diagnostic& d) {
        return d.message.find("there is no statement") != std::string::npos ||
               d.message.find("nothing can") != std::string::npos ||
               d.message.find("does not know") != std::string::npos;
    });
}

/// Whether an error comes from what is missing beside a statement rather than from the statement.
bool is_about_others(const diagnostic& problem) {
    for (const char* words :
         {"needs something after", "is not configured under", "needs a port", "needs a DSCP",
          "needs its own dtcp-key", "has no class", "has no secret", "has no shared-key",
          "need a user", "the user of SNMP has no", "has no service-port", "has no address",
          "beside it", "has no content destination", "no forwarding class", "is not built",
          "nothing tells the subscriber's packets"})
        if (problem.message.find(words) != std::string::npos)
            return true;
    return false;
}

} // namespace

TEST_CASE("every row has a path of its own, a parent, help and a meaning") {
    std::set<std::string_view> seen;
    for (const schema_row& row : schema()) {
        CAPTURE(row.path);
        CHECK(seen.insert(row.path).second);
        CHECK(find_row(row.path) == &row);
        CHECK(row.help.size() > 3);
        CHECK(row.help.back() != '.');
        CHECK((row.type == value_type::choice) == !row.choices.empty());
        const bool keyed = row.kind == statement_kind::entry || row.kind == statement_kind::value ||
                           row.kind == statement_kind::list;
        CHECK((row.type == value_type::none) == !keyed);
        const bool hidden = row.type == value_type::secret || row.type == value_type::password_hash;
        CHECK((row.shown == visibility::secret) == hidden);

        std::string_view parent = row.path.substr(0, row.path.rfind(' '));
        if (row.path.find(' ') != std::string_view::npos && find_row(parent) == nullptr)
            parent = parent.substr(0, parent.rfind(' '));
        if (row.path.find(' ') != std::string_view::npos)
            REQUIRE(find_row(parent) != nullptr);
    }
    CHECK(find_row("no such row") == nullptr);
}

TEST_CASE("flow-tap statements belong to flow-tap, and only they") {
    for (const schema_row& row : schema()) {
        CAPTURE(row.path);
        const bool hidden = row.path.starts_with("services flow-tap") ||
                            row.path.starts_with("services radius-flow-tap") ||
                            row.path.starts_with("services dynamic-flow-capture") ||
                            row.path.starts_with("system services flow-tap-dtcp");
        CHECK((row.belongs_to == permission::target::flow_tap_configuration) == hidden);
    }
}

TEST_CASE("every statement of the schema can be written") {
    for (const schema_row& row : schema()) {
        const std::string text = sample_path(row) + ';';
        CAPTURE(row.path);
        CAPTURE(text);
        const loaded done = load(text, "sample");
        CHECK(knows_statement(done));
        for (const diagnostic& problem : done.found)
            CHECK_MESSAGE((problem.level == severity::warning || is_about_others(problem)),
                          to_string(problem));
    }
}

TEST_CASE("a misspelt statement is found wherever it stands") {
    for (const schema_row& row : schema()) {
        const std::string_view keyword = keyword_of(row);
        const std::size_t place = row.path.rfind(keyword);
        const schema_row* parent =
            place == 0 ? nullptr : find_row(row.path.substr(0, place == 0 ? 0 : place - 1));
        const bool in_open = parent != nullptr && parent->kind == statement_kind::open;
        const bool top_block = place == 0;
        if (keyword.empty() || in_open || top_block || child_named(parent, "") != nullptr)
            continue;
        const std::string text = (parent != nullptr ? sample_path(*parent) + ' ' : "") + "zz" +
                                 std::string(keyword) + "zz;";
        CAPTURE(text);
        CHECK_FALSE(knows_statement(load(text, "sample")));
    }
}

TEST_CASE("keywords and children follow from the paths") {
    const schema_row* user = find_row("system login user *");
    REQUIRE(user != nullptr);
    CHECK(keyword_of(*user) == "user");
    CHECK(child_named(find_row("system login"), "user") == user);
    CHECK(keyword_of(*find_row("interfaces *")).empty());
    CHECK(child_named(find_row("interfaces"), "") == find_row("interfaces *"));
    CHECK(child_named(user, "uid") == find_row("system login user * uid"));
    CHECK(child_named(user, "no-such") == nullptr);
    const auto children = children_of(user);
    REQUIRE(children.size() == 4);
    CHECK(keyword_of(*children[0]) == "authentication");
    CHECK(keyword_of(*children[3]) == "uid");
    CHECK(children_of(find_row("system login user * uid")).empty());
}

TEST_CASE("values are checked by their type") {
    struct row {
        const char* path;
        const char* value;
        std::error_code problem;
    };
    const row rows[] = {
        {"system services flow-tap-dtcp ssh rate-limit", "1", {}},
        {"system services flow-tap-dtcp ssh rate-limit", "250", {}},
        {"system services flow-tap-dtcp ssh rate-limit", "0", config::errc::out_of_range},
        {"system services flow-tap-dtcp ssh rate-limit", "251", config::errc::out_of_range},
        {"system services flow-tap-dtcp ssh rate-limit", "-1", config::errc::not_a_number},
        {"system services flow-tap-dtcp ssh rate-limit", "1x", config::errc::not_a_number},
        {"system services flow-tap-dtcp ssh rate-limit", "", config::errc::empty_value},
        {"system services flow-tap-dtcp ssh rate-limit", "99999999999999999999",
         config::errc::not_a_number},
        {"interfaces *", "ge-0/0/0", {}},
        {"interfaces *", "lo0", {}},
        {"interfaces *", "ge-0/0/0:1", config::errc::channelized},
        {"interfaces *", "ge-0/0/0.1", config::errc::unit_in_name},
        {"interfaces *", "0ge", config::errc::invalid_interface},
        {"interfaces *", "ge-0/0/", config::errc::invalid_interface},
        {"services flow-tap interface", "sp-1/2/0", {}},
        {"services flow-tap interface", "sp-1/2/0.100", {}},
        {"services flow-tap interface", "sp-1/2/0.", config::errc::invalid_interface},
        {"services flow-tap interface", ".0", config::errc::invalid_interface},
        {"services flow-tap interface", "sp-1/2/0.x", config::errc::invalid_interface},
        {"services flow-tap interface", "sp-1/2/0.1.2", config::errc::invalid_interface},
        {"services flow-tap interface", "sp-1/2/0:1.5", config::errc::channelized},
        {"system radius-server *", "192.0.2.1", {}},
        {"system radius-server *", "2001:db8::1", {}},
        {"system radius-server *", "192.0.2.256", config::errc::invalid_address},
        {"services radius-flow-tap source-ipv4-address", "2001:db8::1",
         config::errc::invalid_address},
        {"services flow-tap control-source * allowed-destinations", "192.0.2.0/24", {}},
        {"services flow-tap control-source * allowed-destinations", "192.0.2.0/33",
         config::errc::invalid_prefix},
        {"services flow-tap udp listen * port", "1", {}},
        {"services flow-tap udp listen * port", "65535", {}},
        {"services flow-tap udp listen * port", "0", config::errc::out_of_range},
        {"services flow-tap udp listen * port", "65536", config::errc::out_of_range},
        {"services flow-tap udp listen * port", "dtcp", config::errc::not_a_number},
        {"services flow-tap control-source * source-addresses", "192.0.2.7", {}},
        {"services flow-tap control-source * source-addresses", "2001:db8::/32", {}},
        {"services flow-tap control-source * source-addresses", "lea",
         config::errc::invalid_prefix},
        {"services flow-tap control-source * dtcp-key", "", config::errc::empty_value},
        {"services flow-tap control-source * dtcp-key", "$9$LbHX-wg4",
         config::errc::invalid_secret},
        {"services flow-tap control-source * dtcp-key", "$9$LbHX-wg4Z", {}},
        {"services dynamic-flow-capture capture-group * control-source * shared-key",
         "123456789012345678901", config::errc::too_long},
        {"services flow-tap control-source * port-lists", "pairs", {}},
        {"services flow-tap control-source * port-lists", "pair", config::errc::invalid_value},
        {"services flow-tap control-source * notification-version", "0.8", {}},
        {"services flow-tap control-source * notification-version", "0.9",
         config::errc::invalid_value},
        {"services flow-tap control-source *", "lea1@agency.example", {}},
        {"services flow-tap control-source *", "lea 1", config::errc::invalid_name},
        {"interfaces * capture-device", "eth0.100", {}},
        {"interfaces * capture-device", "a-name-that-is-too-long", config::errc::invalid_value},
        {"interfaces * capture-device", "../eth0", config::errc::invalid_value},
        {"services dynamic-flow-capture capture-group * content-destination * soft-limit",
         "100k",
         {}},
        {"services dynamic-flow-capture capture-group * content-destination * soft-limit", "k",
         config::errc::not_a_number},
    };
    for (const row& r : rows) {
        CAPTURE(r.path);
        CAPTURE(r.value);
        const schema_row* found = find_row(r.path);
        REQUIRE(found != nullptr);
        const auto checked = check_value(*found, r.value);
        CHECK((checked ? std::error_code() : checked.error().code) == r.problem);
    }
    CHECK(parse_bandwidth("10m").value_or(0) == 10'000'000);
    CHECK(parse_bandwidth("3g").value_or(0) == 3'000'000'000);
    CHECK_FALSE(parse_bandwidth("99999999999999999g").has_value());
}
