// SPDX-License-Identifier: Apache-2.0
// A product that embeds the DTCP parser and nothing else of libflowtap: octets in, a request out.
#include <cstdio>
#include <string_view>
#include <variant>

#include <flowtap/dtcp/envelope.hpp>
#include <flowtap/dtcp/framer.hpp>
#include <flowtap/dtcp/parser.hpp>

using namespace flowtap;

namespace {

constexpr std::string_view received = "ADD DTCP/0.7\r\n"
                                      "Csource-ID: ftap\r\n"
                                      "Cdest-ID: cd1\r\n"
                                      "Dest-Address: 192.0.2.0/24\r\n"
                                      "Dest-Port: 80,443\r\n"
                                      "X-JTap-Cdest-Dest-Address: 198.51.100.5\r\n"
                                      "X-JTap-Cdest-Dest-Port: 2300\r\n"
                                      "X-JTap-Cdest-Source-Address: 198.51.100.9\r\n"
                                      "X-JTap-Cdest-Source-Port: 65535\r\n"
                                      "Flags: STATIC\r\n"
                                      "Seq: 7\r\n"
                                      "Authentication-Info: "
                                      "0000000000000000000000000000000000000000\r\n"
                                      "\r\n";

result<dtcp::request> read_request(std::string_view octets) {
    dtcp::framer framer;
    const auto used = framer.put(as_byte_view(octets));
    if (!used)
        return fail(used.error());
    const auto envelope = dtcp::parse_envelope(framer.message());
    if (!envelope)
        return fail(envelope.error());
    return dtcp::parse_request(*envelope);
}

} // namespace

int main() {
    const auto request = read_request(received);
    if (!request) {
        std::printf("%s\n", request.error().message().c_str());
        return 1;
    }
    const auto* add = std::get_if<dtcp::add_request>(&*request);
    if (add == nullptr || add->jtap.destinations.size() != 1)
        return 1;
    std::printf("%s to %s\n", add->cdest_ids.front().c_str(),
                to_string(add->jtap.destinations.front()).c_str());
    return 0;
}
