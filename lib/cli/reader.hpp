// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/cli/session.hpp>

#include "words.hpp"

namespace flowtap::cli {

/// What stands among the choices for the end of the line.
inline constexpr std::string_view end_of_line = "<[Enter]>";

/// The words of a line, one after the other, for a grammar that serves two ends: to run a line, and
/// to tell what can come at its end. The grammar asks for its next word; when there is none and the
/// line is being typed, what it would have taken is what can come.
class reader {
public:
    enum class purpose : std::uint8_t { run, complete };

    reader(typed_line line, purpose what);

    /// The next word; null at the end.
    const typed_word* next() const noexcept;
    void pass() noexcept { ++at_; }
    bool is_at_end() const noexcept { return at_ >= line_.words.size(); }

    /// Takes the next word for one of the keywords among `choices`, abbreviated or not; none if it
    /// is none of them, is missing or is being typed.
    std::optional<std::string> pick(const std::vector<choice>& choices);

    /// At the end of the line: what could come. An error when the line is to be run.
    void offer(const std::vector<choice>& choices);

    /// The next word is wrong, or what was read before the end.
    void fail(std::string why);
    void fail_at(std::string why, std::size_t column);

    bool has_failed() const noexcept { return !error_.empty(); }
    const std::string& error() const noexcept { return error_; }
    std::size_t fault() const noexcept { return fault_; }

    bool is_completing() const noexcept { return what_ == purpose::complete; }
    /// The word that is being typed.
    const std::string& partial() const noexcept { return partial_; }
    const std::vector<choice>& offered() const noexcept { return offered_; }

private:
    typed_line line_;
    purpose what_;
    std::size_t at_ = 0;
    std::string partial_;
    std::vector<choice> offered_;
    std::string error_;
    std::size_t fault_ = 0;
};

/// What a word stands for among keywords: itself, or the only one that begins with it.
struct meaning {
    std::optional<std::string> word;
    /// Why it stands for none.
    std::string problem;
};
meaning resolve(const std::vector<choice>& choices, std::string_view typed);

} // namespace flowtap::cli
