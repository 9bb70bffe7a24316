// SPDX-License-Identifier: Apache-2.0
// flowtap-receive: a content destination. See tools/man/flowtap-receive.1.
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>

#include "capture_intake.hpp"
#include "collector.hpp"
#include "options.hpp"
#include "progress.hpp"
#include "socket_intake.hpp"
#include "watch.hpp"

namespace {

using namespace flowtap;
using namespace flowtap::tools;

/// What the program exits with.
constexpr int success = 0;
constexpr int failure = 1; ///< something cannot be opened, read or written

/// The longest wait for copies, so that counters are printed when they are due.
constexpr std::chrono::milliseconds longest_wait{50};

int complain(const error& reason) {
    std::fprintf(stderr, "flowtap-receive: %s\n", reason.message().c_str());
    return failure;
}

/// A socket a port and a file an intercept may be more than a shell grants at first.
void raise_file_limit() {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &files);
    }
}

result<std::unique_ptr<intake>> open_intake(const receive_options& options) {
    const auto as_intake = [](auto opened) -> result<std::unique_ptr<intake>> {
        if (!opened)
            return fail(opened.error());
        return std::unique_ptr<intake>(std::move(*opened));
    };
    if (!options.read.empty())
        return as_intake(capture_intake::read_files(options.read, options.encapsulation));
    if (!options.live.empty())
        return as_intake(
            capture_intake::watch_device(options.live, options.filter, options.encapsulation));
    return as_intake(socket_intake::open(options.sockets));
}

/// Whether a file has something in it that would be lost.
bool has_contents(const std::string& path) {
    struct stat status {};
    return path != "-" && ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
           status.st_size != 0;
}

result<void> open_outputs(const receive_options& options, collector& to) {
    if (!options.output.empty()) {
        auto opened = output_directory::open(options.output, options.collect.inner, options.found);
        if (!opened)
            return fail(opened.error());
        to.write_to(std::move(*opened));
    }
    if (options.write.empty())
        return {};
    if (options.found == existing_files::keep && has_contents(options.write))
        return fail(error(std::make_error_code(std::errc::file_exists), options.write));
    auto opened = capture_writer::create(options.write, options.collect.inner);
    if (!opened)
        return fail(opened.error());
    to.write_to(std::move(*opened));
    return {};
}

/// Receives until there is nothing more, or nothing more is wanted.
intake_state receive(intake& from, collector& to, watch& ends, progress& shown) {
    for (;;) {
        const intake_state state = from.receive(to, longest_wait);
        if (state == intake_state::failed || state == intake_state::finished || to.is_full())
            return state;
        if (ends.has_ended()) {
            from.finish(to);
            return state;
        }
        if (ends.report_wanted())
            shown.print_counters();
        const bool is_due = shown.is_due();
        if (is_due || state == intake_state::idle)
            to.flush();
        if (is_due)
            shown.show();
        // Nobody reads the packets any more.
        if (to.failure().code == std::errc::broken_pipe)
            return intake_state::finished;
    }
}

int run(const receive_options& options) {
    const auto from = open_intake(options);
    if (!from)
        return complain(from.error());
    collector to(options.collect);
    if (auto opened = open_outputs(options, to); !opened)
        return complain(opened.error());
    progress shown(options, to, **from);
    intake_state ended = intake_state::ready;
    {
        watch ends(options.ends, to.copies(), [&from] { (*from)->interrupt(); });
        // Not sooner, so that whoever reads this may send a signal.
        if (!options.quiet)
            for (const std::string& place : (*from)->places())
                std::fprintf(stderr, "flowtap-receive: listening on %s\n", place.c_str());
        ended = receive(**from, to, ends, shown);
    }
    int status = success;
    if (!to.close()) {
        shown.tell_failure();
        status = failure;
    }
    if (auto printed = shown.finish(); !printed)
        status = complain(printed.error());
    if (ended == intake_state::failed)
        status = complain((*from)->failure());
    return status;
}

} // namespace

int main(int argc, char** argv) {
    // A pipe without a reader and a file at its limit are errors of one write, not the end.
    for (const int number : {SIGPIPE, SIGXFSZ})
        std::signal(number, SIG_IGN);
    raise_file_limit();
    const parsed_options parsed = parse_options(argc, argv);
    return parsed.options ? run(*parsed.options) : parsed.status;
}
