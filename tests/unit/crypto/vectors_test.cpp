// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/crypto/hmac.hpp>
#include <flowtap/dtcp/authentication.hpp>

#include "hexadecimal.hpp"

using namespace flowtap;

namespace {

struct vector_of_file {
    std::string name;
    std::string key;
    std::string signed_text;
    std::string authentication_info;
};

// The value of a member of type text, from `from` on: enough JSON for that file.
std::string text_member(const std::string& json, const std::string& name, std::size_t from) {
    std::size_t at = json.find('"' + name + '"', from);
    at = json.find('"', json.find(':', at)) + 1;
    std::string text;
    for (; json.at(at) != '"'; ++at) {
        if (json[at] != '\\') {
            text += json[at];
            continue;
        }
        const char escaped = json.at(++at);
        text += escaped == 'r' ? '\r' : escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped;
    }
    return text;
}

std::vector<vector_of_file> read_vectors(const std::string& path) {
    std::ifstream file(path);
    const std::string json{std::istreambuf_iterator<char>(file), {}};
    std::vector<vector_of_file> vectors;
    for (std::size_t at = json.find("\"name\""); at != std::string::npos;
         at = json.find("\"name\"", at + 1))
        vectors.push_back({text_member(json, "name", at), text_member(json, "key", at),
                           text_member(json, "signed_text", at),
                           text_member(json, "authentication_info", at)});
    return vectors;
}

} // namespace

TEST_CASE("the nine DTCP messages that others signed verify") {
    const char* const directory = std::getenv("FLOWTAP_SHARED_DATA");
    const std::string path =
        std::string(directory == nullptr ? "" : directory) + "/dtcp-authentication-vectors.json";
    if (!std::ifstream(path)) {
        MESSAGE("skipped: there is no dtcp-authentication-vectors.json");
        std::cout << "SKIPPED: there is no dtcp-authentication-vectors.json\n";
        return;
    }
    const std::vector<vector_of_file> vectors = read_vectors(path);
    CHECK(vectors.size() == 9);
    for (const vector_of_file& vector : vectors) {
        CAPTURE(vector.name);
        const std::unique_ptr<dtcp::keyed_hash> hash =
            std::make_unique<crypto::keyed_hash_as<dtcp::keyed_hash>>(vector.key);
        hash->reset();
        hash->update(as_byte_view(vector.signed_text));
        CHECK(hexadecimal(hash->finish()) == vector.authentication_info);
    }
}
