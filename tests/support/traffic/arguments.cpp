// SPDX-License-Identifier: Apache-2.0
#include "arguments.hpp"

#include <sstream>
#include <stdexcept>

namespace traffic {

namespace {

std::uint64_t to_number(const std::string& name, const std::string& text) {
    std::size_t used = 0;
    std::uint64_t made = 0;
    try {
        made = std::stoull(text, &used);
    } catch (const std::logic_error&) {
        used = 0;
    }
    if (used == 0 || used != text.size())
        throw std::runtime_error("--" + name + ": not a number: " + text);
    return made;
}

} // namespace

arguments::arguments(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (!word.starts_with("--")) {
            places_.push_back(word);
            continue;
        }
        if (i + 1 == argc)
            throw std::runtime_error(word + " has no value");
        named_[word.substr(2)] = argv[++i];
    }
}

const std::string& arguments::text(const std::string& name) const {
    const auto found = named_.find(name);
    if (found == named_.end())
        throw std::runtime_error("--" + name + " is missing");
    return found->second;
}

std::uint64_t arguments::number(const std::string& name) const {
    return to_number(name, text(name));
}

std::uint64_t arguments::number(const std::string& name, std::uint64_t otherwise) const {
    return has(name) ? number(name) : otherwise;
}

std::vector<std::uint64_t> arguments::numbers(const std::string& name) const {
    std::vector<std::uint64_t> made;
    if (!has(name))
        return made;
    std::istringstream words(text(name));
    for (std::string word; std::getline(words, word, ',');)
        made.push_back(to_number(name, word));
    return made;
}

} // namespace traffic
