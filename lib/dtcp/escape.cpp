// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/escape.hpp>

namespace flowtap::dtcp {

namespace {

bool is_printable(char letter) noexcept {
    return letter >= 0x20 && letter <= 0x7E;
}

void append_escaped(std::string& out, char letter) {
    const unsigned octet = static_cast<unsigned char>(letter);
    out += '\\';
    out += static_cast<char>('0' + octet / 100);
    out += static_cast<char>('0' + octet / 10 % 10);
    out += static_cast<char>('0' + octet % 10);
}

/// The octet that three digits at the start of `digits` stand for, or -1.
int escaped_octet(std::string_view digits) noexcept {
    if (digits.size() < 3)
        return -1;
    int octet = 0;
    for (const char digit : digits.substr(0, 3)) {
        if (digit < '0' || digit > '9')
            return -1;
        octet = octet * 10 + (digit - '0');
    }
    return octet <= 255 ? octet : -1;
}

} // namespace

std::string escape_value(std::string_view text) {
    std::string escaped;
    escaped.reserve(text.size());
    for (const char letter : text) {
        if (!is_printable(letter) || letter == ' ' || letter == ',' || letter == '\\')
            append_escaped(escaped, letter);
        else
            escaped += letter;
    }
    return escaped;
}

std::string escape_line(std::string_view line) {
    std::string escaped;
    escaped.reserve(line.size());
    for (const char letter : line) {
        if (!is_printable(letter) && letter != '\t')
            append_escaped(escaped, letter);
        else
            escaped += letter;
    }
    return escaped;
}

result<std::string> unescape_value(std::string_view token) {
    if (token.find('\\') == std::string_view::npos)
        return std::string(token);
    std::string plain;
    plain.reserve(token.size());
    for (std::size_t at = 0; at < token.size(); ++at) {
        if (token[at] != '\\') {
            plain += token[at];
            continue;
        }
        const int octet = escaped_octet(token.substr(at + 1));
        if (octet < 0)
            return fail(errc::invalid_escape, text_position{0, at + 1}, std::string(token));
        plain += static_cast<char>(octet);
        at += 3;
    }
    return plain;
}

} // namespace flowtap::dtcp
