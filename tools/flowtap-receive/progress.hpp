// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>

#include "collector.hpp"
#include "intake.hpp"
#include "options.hpp"
#include "report.hpp"

namespace flowtap::tools {

/// Shows what is counted while copies come, and the account at the end: on a terminal a status line
/// that is kept current, else lines, as text or JSON. Everything it is given must outlive it.
class progress {
public:
    progress(const receive_options& options, const collector& of, const intake& from);

    /// Whether the time for the next line has come, or for a second of what is written.
    bool is_due() const;
    /// Shows what is due.
    void show();
    /// Tells of the first failure to write, once.
    void tell_failure();
    /// Prints a line of counters, whatever is due.
    void print_counters();
    /// Prints the account. Errors: those of standard output.
    result<void> finish();

private:
    enum class manner : std::uint8_t { silent, status_line, lines };

    counters count() const;

    const receive_options& options_;
    const collector& of_;
    const intake& from_;
    manner manner_ = manner::silent;
    std::chrono::milliseconds interval_;
    /// Where results go; standard error when packets take standard output.
    std::FILE* results_;
    counters before_;
    bool line_is_open_ = false;
    bool failure_is_told_ = false;
};

} // namespace flowtap::tools
