// SPDX-License-Identifier: Apache-2.0
#include <flowtap/config/tree.hpp>

#include "tokens.hpp"

namespace flowtap::config {

namespace {

/// Stands in place of a secret that the reader may not see.
constexpr std::string_view hidden_value = " /* SECRET-DATA */";

std::string quote(std::string_view text) {
    std::string quoted = "\"";
    for (const char letter : text) {
        switch (letter) {
        case '"':
            quoted += "\\\"";
            break;
        case '\\':
            quoted += "\\\\";
            break;
        case '\n':
            quoted += "\\n";
            break;
        case '\t':
            quoted += "\\t";
            break;
        default:
            quoted += letter;
        }
    }
    return quoted + '"';
}

std::string written(const word& shown) {
    const bool plain = is_plain_word(shown.text) && shown.text != "inactive:";
    return plain ? shown.text : quote(shown.text);
}

std::string joined(const std::vector<word>& words) {
    std::string line;
    for (const word& shown : words) {
        if (!line.empty())
            line += ' ';
        line += written(shown);
    }
    return line;
}

void print(const std::vector<statement>& statements, const std::string& indent, std::string& out) {
    for (const statement& shown : statements) {
        out += indent;
        if (shown.inactive)
            out += "inactive: ";
        out += joined(shown.words);
        if (shown.has_list)
            out += shown.list.empty() ? " [ ]" : " [ " + joined(shown.list) + " ]";
        if (shown.value_hidden)
            out += hidden_value;
        if (shown.children.empty()) {
            out += ';';
        } else {
            out += " {\n";
            print(shown.children, indent + "    ", out);
            out += indent + '}';
        }
        out += shown.marked_secret ? " ## SECRET-DATA\n" : "\n";
    }
}

void print_set(const std::vector<statement>& statements, const std::string& path,
               std::string& out) {
    for (const statement& shown : statements) {
        std::string here = path + ' ' + joined(shown.words);
        if (shown.value_hidden)
            here += hidden_value;
        const std::string mark = shown.marked_secret ? " ## SECRET-DATA\n" : "\n";
        if (!shown.list.empty())
            for (const word& member : shown.list)
                out += "set" + here + ' ' + written(member) + mark;
        else if (shown.children.empty())
            out += "set" + here + mark;
        print_set(shown.children, here, out);
        if (shown.inactive)
            out += "deactivate" + here + '\n';
    }
}

} // namespace

std::string to_text(const tree& shown) {
    std::string out;
    print(shown.statements, "", out);
    return out;
}

std::string to_set_commands(const tree& shown) {
    std::string out;
    print_set(shown.statements, "", out);
    return out;
}

} // namespace flowtap::config
