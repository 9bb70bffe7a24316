// SPDX-License-Identifier: Apache-2.0
#include "client.hpp"

#include <doctest/doctest.h>

#include "hmac_sha1.hpp"

namespace flowtap::dtcp::test {

namespace {

class recorder final : public response_handler {
public:
    void on_entry(list_entry entry) override { seen.entries.push_back(std::move(entry)); }
    void on_response(response answer, authenticity signature) override {
        seen.responses.push_back(std::move(answer));
        seen.signatures.push_back(signature);
    }
    void on_notification(notification told, authenticity signature) override {
        seen.notifications.push_back(std::move(told));
        seen.signatures.push_back(signature);
    }

    reading seen;
};

reading read_pieces(const std::vector<std::string_view>& pieces, reader_limits limits) {
    recorder client;
    hmac_sha1 hash("Juniper");
    response_reader reader(client, &hash, limits);
    for (const std::string_view piece : pieces) {
        const auto taken = reader.put(as_byte_view(piece));
        if (taken)
            continue;
        client.seen.failure = taken.error().code;
        client.seen.line = taken.error().where.line;
        CHECK_FALSE(reader.put(as_byte_view("more\n")));
        break;
    }
    client.seen.in_message = reader.in_message();
    return client.seen;
}

} // namespace

reading read(std::string_view octets, reader_limits limits) {
    reading whole = read_pieces({octets}, limits);
    for (std::size_t cut = 0; cut <= octets.size(); ++cut)
        REQUIRE(read_pieces({octets.substr(0, cut), octets.substr(cut)}, limits) == whole);
    std::vector<std::string_view> single;
    for (std::size_t at = 0; at < octets.size(); ++at)
        single.push_back(octets.substr(at, 1));
    REQUIRE(read_pieces(single, limits) == whole);
    return whole;
}

} // namespace flowtap::dtcp::test
