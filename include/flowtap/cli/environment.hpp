// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <flowtap/config/tree.hpp>
#include <flowtap/core/bytes.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/permission/principal.hpp>

namespace flowtap::cli {

/// What `show flow-tap` is asked for.
enum class report : std::uint8_t {
    status,     ///< `show flow-tap status`
    statistics, ///< `show flow-tap statistics`
};

/// What a program does for the sessions of its command line. All of them are used by one thread.
class environment {
public:
    /// How many sessions may have a candidate configuration at a time.
    static constexpr std::size_t most_candidates = 16;

    environment() = default;
    environment(const environment&) = delete;
    environment& operator=(const environment&) = delete;
    virtual ~environment();

    /// The configuration that is in force. Never null.
    virtual std::shared_ptr<const config::tree> committed() const = 0;

    /// The configuration that was in force `number` commits ago; 1 is the one before the last.
    virtual result<config::tree> earlier(unsigned number) const = 0;

    /// Puts a configuration that was checked in force, and stores it. Returns what whoever asked
    /// should know about it, one line each. When it fails nothing has changed.
    virtual result<std::vector<std::string>> commit(const config::tree& next,
                                                    const permission::principal& who) = 0;

    /// A text for operators; ends in a newline.
    virtual std::string show(report what) const = 0;

    /// Octets that nobody can foretell, for obscured secrets.
    virtual std::array<std::byte, 4> salt() = 0;

private:
    friend class candidate_place;
    std::size_t candidates_ = 0;
};

/// A place among the candidates, for as long as it lives.
class candidate_place {
public:
    /// Null when there are too many.
    static std::unique_ptr<candidate_place> take(environment& of);
    ~candidate_place() { --of_.candidates_; }
    candidate_place(const candidate_place&) = delete;
    candidate_place& operator=(const candidate_place&) = delete;

private:
    explicit candidate_place(environment& of) : of_(of) { ++of_.candidates_; }
    environment& of_;
};

} // namespace flowtap::cli
