// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace traffic {

/// `--name value` pairs, as scripts give them; everything else is an argument by its place.
/// Mistakes throw std::runtime_error: who reads it is who wrote the script.
class arguments {
public:
    arguments(int argc, char** argv);

    /// Throws if it is not there and there is no default.
    const std::string& text(const std::string& name) const;
    std::uint64_t number(const std::string& name) const;
    std::uint64_t number(const std::string& name, std::uint64_t otherwise) const;
    /// Numbers with commas between them; empty if it is not there.
    std::vector<std::uint64_t> numbers(const std::string& name) const;
    bool has(const std::string& name) const { return named_.contains(name); }

    const std::vector<std::string>& places() const { return places_; }

private:
    std::map<std::string, std::string> named_;
    std::vector<std::string> places_;
};

} // namespace traffic
