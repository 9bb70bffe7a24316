// SPDX-License-Identifier: Apache-2.0
// A request from octets: framed whole and in two pieces alike; what parses is written, parses
// again, is the same, and is written the same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <flowtap/dtcp/framer.hpp>
#include <flowtap/dtcp/parser.hpp>
#include <flowtap/dtcp/response.hpp>
#include <flowtap/dtcp/writer.hpp>

using namespace flowtap;

namespace {

/// Stands in for HMAC-SHA1: signatures are not what is tested here.
class no_hash final : public dtcp::keyed_hash {
public:
    void reset() override {}
    void update(byte_view) override {}
    dtcp::digest finish() override { return {}; }
};

void require(bool holds) {
    if (!holds)
        std::abort();
}

dtcp::request without_given(dtcp::request message) {
    if (auto* const add = std::get_if<dtcp::add_request>(&message))
        add->given.clear();
    return message;
}

void check_refusal(const dtcp::envelope& message, const error& reason) {
    require(!reason.code.message().empty());
    require(reason.where.line <= message.lines.size() + 1);
    if (is_never_sent(dtcp::status_of(reason.code)))
        return;
    // The answer to it is one message, whatever the offending line was.
    no_hash hash;
    std::string octets;
    write_response(octets, make_error_response(message, reason, {}), hash);
    dtcp::framer cutter({.message = octets.size(), .line = octets.size(), .parameters = 8});
    const auto used = cutter.put(as_byte_view(octets));
    require(used && *used == octets.size() && cutter.complete());
}

void check_round_trip(const dtcp::request& parsed, const dtcp::parse_options& options) {
    no_hash hash;
    std::string octets;
    write_request(octets, parsed, hash);
    const auto parts = dtcp::parse_envelope(octets);
    require(parts.has_value());
    const auto again = parse_request(*parts, options);
    require(again.has_value());
    require(without_given(*again) == without_given(parsed));
    std::string twice;
    write_request(twice, *again, hash);
    require(twice == octets);
}

void check_message(std::string_view message, const dtcp::parse_options& options) {
    const auto parts = dtcp::parse_envelope(message);
    if (!parts)
        return;
    require(message.substr(0, parts->signed_octets.size()).size() == parts->signed_octets.size());
    const auto parsed = parse_request(*parts, options);
    if (parsed)
        check_round_trip(*parsed, options);
    else
        check_refusal(*parts, parsed.error());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const byte_view octets = std::as_bytes(std::span(data, size));
    dtcp::framer whole;
    dtcp::framer pieces;
    const auto used = whole.put(octets);

    byte_view first = octets.first(size / 2);
    auto half = pieces.put(first);
    if (half && !pieces.complete() && size / 2 < size)
        half = pieces.put(octets.subspan(size / 2));
    require(used.has_value() == half.has_value());
    require(whole.complete() == pieces.complete() && whole.message() == pieces.message());
    if (!whole.complete())
        return 0;

    check_message(whole.message(), {});
    check_message(whole.message(), {.port_lists = port_list_mode::pairs,
                                    .identity = dtcp::identity_rule::optional,
                                    .has_block_and_redirect = true});
    check_message(whole.message(), {.service = dtcp::service_kind::dynamic_flow_capture});
    return 0;
}
