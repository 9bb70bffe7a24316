// SPDX-License-Identifier: Apache-2.0
//
// Files of an audit log that anybody may have changed: lines come out the same however the octets
// are cut into pieces, a line that is read is spelled in one way only, and a verifier takes it all.
// The first octet says in which pieces.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/crypto/audit_line_reader.hpp>
#include <flowtap/crypto/audit_verifier.hpp>

namespace {

using namespace flowtap::crypto;

void require(bool held) {
    if (!held)
        std::abort();
}

struct kept_line {
    std::string text;
    std::uint64_t octets = 0;
    bool has_end = true;

    friend bool operator==(const kept_line&, const kept_line&) = default;
};

std::vector<kept_line> lines_of(std::string_view input, std::size_t piece) {
    std::vector<kept_line> lines;
    audit_line_reader reader;
    const auto take = [&](const raw_audit_line& raw) {
        require(raw.octets == raw.text.size() + (raw.has_end ? 1 : 0) || raw.is_too_long);
        lines.push_back({std::string(raw.text), raw.octets, raw.has_end});
    };
    for (std::size_t at = 0; at < input.size(); at += piece)
        reader.put(input.substr(at, piece), take);
    reader.end(take);
    return lines;
}

void check_line(const std::string& text) {
    const auto line = read_audit_line(text);
    if (!line)
        return;
    require(line->number != 0 && text.starts_with(line->text));
    std::string again = "{\"number\":" + std::to_string(line->number) + ',';
    if (line->before != 0)
        again += "\"before\":" + std::to_string(line->before) + ',';
    require(text.starts_with(again));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    const void* const raw = data + 1;
    const std::string_view input(static_cast<const char*>(raw), size - 1);
    const std::size_t piece = std::size_t{data[0]} + 1;
    const auto lines = lines_of(input, input.size() + 1);
    require(lines == lines_of(input, piece));
    std::uint64_t octets = 0;
    for (const kept_line& each : lines) {
        octets += each.octets;
        // Those far ahead cost time and nothing else.
        if (const auto line = read_audit_line(each.text); line && line->number > 10000)
            return 0;
        check_line(each.text);
    }
    require(octets == input.size());

    std::uint64_t findings = 0;
    audit_verifier verifier(audit_key({}), [&](const audit_finding& found) {
        require(found.line != 0 && found.line <= lines.size() && found.first <= found.last);
        ++findings;
    });
    for (std::size_t at = 0; at < input.size(); at += piece)
        verifier.put(input.substr(at, piece));
    verifier.end_file();
    const audit_totals all = verifier.finish({});
    require(all.lines == lines.size() && all.findings == findings && all.good <= all.lines);
    return 0;
}
