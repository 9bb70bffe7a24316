// SPDX-License-Identifier: Apache-2.0
// Takes a DTCP request apart: `parse-request [FILE]`, from standard input without FILE. Prints the
// parts, or what is wrong with line, column and the status code that would answer it.
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include <flowtap/dtcp/framer.hpp>
#include <flowtap/dtcp/parser.hpp>

using namespace flowtap;

namespace {

template <class Number>
void print_ranges(const char* name, const range_list<Number>& list) {
    if (list.is_wildcard())
        return;
    std::cout << name << ':';
    for (const auto& entry : list.entries)
        std::cout << ' ' << (entry.negated ? "not " : "") << +entry.first << " to " << +entry.last;
    std::cout << '\n';
}

void print_addresses(const char* name, const range_list<address_bits>& list, family of) {
    if (list.is_wildcard())
        return;
    std::cout << name << ':';
    for (const auto& entry : list.entries)
        std::cout << ' ' << (entry.negated ? "not " : "") << to_string(ip_address(of, entry.first))
                  << " to " << to_string(ip_address(of, entry.last));
    std::cout << '\n';
}

void print_add(const dtcp::add_request& add) {
    const family of = add.filter.address_family.value_or(family::inet);
    print_addresses("source addresses", add.filter.source_addresses, of);
    print_addresses("destination addresses", add.filter.destination_addresses, of);
    print_ranges("protocols", add.filter.protocols);
    print_ranges("source ports", add.filter.source_ports);
    print_ranges("destination ports", add.filter.destination_ports);
    if (add.filter.port_lists == port_list_mode::pairs)
        std::cout << "ports pair up entry by entry\n";
    for (const endpoint& destination : add.jtap.destinations)
        std::cout << "copies go to " << to_string(destination) << '\n';
}

int refuse(const error& reason) {
    // The message escapes what it shows of the input.
    std::cerr << reason.message() << " (answered with "
              << static_cast<int>(dtcp::status_of(reason.code)) << ")\n";
    return 1;
}

int take_apart(const std::string& octets) {
    dtcp::framer framer;
    if (const auto used = framer.put(as_byte_view(octets)); !used)
        return refuse(used.error());
    if (!framer.complete())
        return refuse(make_error_code(dtcp::errc::incomplete_message));

    const auto envelope = dtcp::parse_envelope(framer.message());
    if (!envelope)
        return refuse(envelope.error());
    // A server checks control source, signature and sequence number here; see authentication.hpp.
    const auto request = parse_request(*envelope, {.port_lists = port_list_mode::pairs,
                                                   .identity = dtcp::identity_rule::optional});
    if (!request)
        return refuse(request.error());

    const dtcp::request_header& header = header_of(*request);
    std::cout << method_of(*request) << " in DTCP/" << +header.spoken.major << '.'
              << +header.spoken.minor << ", number " << header.seq.value() << " of "
              << escape_text(header.csource_id) << '\n';
    if (const auto* const add = std::get_if<dtcp::add_request>(&*request))
        print_add(*add);
    return 0;
}

} // namespace

int main(int count, char** arguments) {
    std::ifstream file;
    if (count > 1)
        file.open(arguments[1], std::ios::binary);
    std::istream& input = count > 1 ? file : std::cin;
    return take_apart({std::istreambuf_iterator<char>(input), {}});
}
