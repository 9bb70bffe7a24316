// SPDX-License-Identifier: Apache-2.0
#include "progress.hpp"

#include <cerrno>
#include <unistd.h>

namespace flowtap::tools {

namespace {

constexpr std::chrono::seconds usual_interval{1};

} // namespace

progress::progress(const receive_options& options, const collector& of, const intake& from)
    : options_(options), of_(of), from_(from), interval_(options.interval.value_or(usual_interval)),
      results_(options.write == "-" ? stderr : stdout) {
    if (options.quiet)
        manner_ = manner::silent;
    else if (options.interval)
        manner_ = manner::lines;
    if (!options.quiet && !options.json && ::isatty(STDERR_FILENO) != 0)
        manner_ = manner::status_line;
    before_ = count();
}

counters progress::count() const {
    return {std::chrono::steady_clock::now(),
            of_.counted(),
            of_.intercept_count(),
            from_.incomplete(),
            from_.lost(),
            of_.unwritten()};
}

bool progress::is_due() const {
    return std::chrono::steady_clock::now() - before_.when >= interval_;
}

void progress::tell_failure() {
    const error reason = of_.failure();
    if (failure_is_told_ || !reason.code)
        return;
    failure_is_told_ = true;
    std::fprintf(stderr, "flowtap-receive: %s\n", reason.message().c_str());
}

void progress::show() {
    tell_failure();
    if (manner_ == manner::lines) {
        print_counters();
        return;
    }
    const counters now = count();
    if (manner_ == manner::status_line) {
        // Back to the start of the line, and clear what is left of the one before.
        std::fprintf(stderr, "\r%s\033[K", counters_text(now, before_).c_str());
        std::fflush(stderr);
        line_is_open_ = true;
    }
    before_ = now;
}

void progress::print_counters() {
    const counters now = count();
    if (options_.json) {
        std::fprintf(results_, "%s\n", counters_json(now, before_).c_str());
        std::fflush(results_);
    } else {
        std::fprintf(stderr, "%s%s\n", line_is_open_ ? "\r" : "",
                     counters_text(now, before_).c_str());
        line_is_open_ = false;
    }
    before_ = now;
}

result<void> progress::finish() {
    if (line_is_open_)
        std::fputc('\n', stderr);
    const counters all = count();
    const std::string text = options_.json ? summary_json(all, of_) : summary_text(all, of_);
    errno = 0;
    std::fputs(text.c_str(), results_);
    if (std::fflush(results_) != 0 || std::ferror(results_) != 0)
        return fail(error(std::error_code(errno != 0 ? errno : EIO, std::system_category()), "-"));
    return {};
}

} // namespace flowtap::tools
