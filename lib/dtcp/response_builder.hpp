// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/core/result.hpp>
#include <flowtap/dtcp/response.hpp>

namespace flowtap::dtcp {

/// The parameters of a server's message, or of one entry of a LIST answer, as text: of a repeated
/// one the first. Memory is what the caller lets in.
class parameter_group {
public:
    /// Takes a line unless its parameter is there already. Says whether it was taken.
    bool add(parameter name, std::string_view value);

    bool has(parameter name) const noexcept { return find(name) != nullptr; }
    bool empty() const noexcept { return lines_.empty(); }
    std::size_t size() const noexcept { return lines_.size(); }
    /// The parameter that came first. The group must not be empty.
    parameter leader() const noexcept { return lines_.front().name; }
    void clear() noexcept { lines_.clear(); }

    const std::vector<given_field>& lines() const noexcept { return lines_; }
    const std::string* find(parameter name) const noexcept;
    std::optional<std::string> token(parameter name) const;
    std::optional<std::uint64_t> number(parameter name) const;
    std::optional<std::uint32_t> number32(parameter name) const;
    std::optional<std::chrono::seconds> seconds(parameter name) const;
    std::optional<wall_time> time(parameter name) const;

private:
    std::vector<given_field> lines_;
};

/// One entry of a LIST answer. Values that cannot be read are as missing: clients should not stop
/// at a server's odd timestamp. Errors: `errc::invalid_value` for a Criteria-ID that is none.
result<list_entry> build_entry(const parameter_group& group);

/// What of a response stands outside of entries.
void fill_response(response& answer, const parameter_group& group);

void fill_notification(notification& told, const parameter_group& group);

} // namespace flowtap::dtcp
