// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <flowtap/dtcp/parser.hpp>

/// What the tests of this module share.
namespace flowtap::dtcp::test {

/// Lines written with `\n`, as they go over the wire: CRLF, and an empty line at the end.
std::string on_the_wire(std::string_view lines);

/// Sends octets through a framer in two pieces, cut at every place, and octet by octet, and checks
/// that the message that comes out is always the same. Every message of these tests goes through
/// here.
std::string framed(std::string_view octets);

/// Parses a request written with `\n`, through `framed`.
result<request> parse(std::string_view lines, const parse_options& options = {});

/// A parameter and its value.
using field = std::pair<std::string, std::string>;

/// A good flow-tap ADD of DTCP/0.7, with fields replaced by those of the same name, added, or,
/// where the value is empty, removed.
std::string add_with(const std::vector<field>& changes);

/// The ADD that `add_with` makes, which must be good.
add_request good_add(const std::vector<field>& changes, const parse_options& options = {});

/// The error that the ADD that `add_with` makes is refused with.
error bad_add(const std::vector<field>& changes, const parse_options& options = {});

/// The column of the value of `name` in the ADD that `add_with` makes, and its line.
text_position place_of(const std::vector<field>& changes, std::string_view name);

} // namespace flowtap::dtcp::test
