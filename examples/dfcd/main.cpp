// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <variant>

#include <flowtap/config/load.hpp>

#include "daemon.hpp"
#include "hash_password.hpp"
#include "log.hpp"
#include "options.hpp"
#include "privileges.hpp"
#include "radius_servers.hpp"
#include "reset_requests.hpp"
#include "status_client.hpp"
#include "verify_audit.hpp"

namespace {

constexpr int failure = 1;

/// Prints everything that is wrong with a configuration. Returns whether it can be used.
bool report(const flowtap::config::loaded& loaded, const std::string& file) {
    for (const auto& problem : loaded.found)
        std::fprintf(stderr, "%s\n", to_string(problem).c_str());
    if (loaded.ok() && !loaded.settings.flow_tap && !loaded.settings.dynamic_flow_capture) {
        std::fprintf(stderr,
                     "%s: error: there is neither \"services flow-tap\" nor "
                     "\"services dynamic-flow-capture\" to serve\n",
                     file.c_str());
        return false;
    }
    return loaded.ok();
}

/// Whether others than its owner can read a file.
bool is_exposed(const std::string& file) {
    namespace fs = std::filesystem;
    std::error_code unknown;
    const fs::perms given = fs::status(file, unknown).permissions();
    return !unknown && fs::is_regular_file(file, unknown) &&
           (given & (fs::perms::group_read | fs::perms::others_read)) != fs::perms::none;
}

int show_status(const dfcd::options& chosen) {
    const auto answer = dfcd::ask_status(*chosen.status, chosen.json ? "/status.json" : "/status");
    if (!answer) {
        dfcd::log("{}", answer.error().message());
        return failure;
    }
    std::fwrite(answer->data(), 1, answer->size(), stdout);
    return 0;
}

int serve(const dfcd::options& chosen) {
    const auto loaded = flowtap::config::load_file(chosen.config);
    if (!report(loaded, chosen.config))
        return failure;
    if (const auto able = dfcd::check_radius(loaded.settings); !able) {
        std::fprintf(stderr, "%s: error: %s\n", chosen.config.c_str(),
                     able.error().message().c_str());
        return failure;
    }
    if (chosen.check_only) {
        std::printf("%s: the configuration is good\n", chosen.config.c_str());
        return 0;
    }
    if (chosen.reset_sequence)
        return dfcd::reset_sequence(chosen, *chosen.reset_sequence, loaded.settings);
    if (is_exposed(chosen.config))
        dfcd::log("warning: others can read the configuration and the secrets in it: {}",
                  chosen.config);
    const auto rights = dfcd::privileges::plan(chosen.user);
    if (!rights) {
        dfcd::log("{}", rights.error().message());
        return failure;
    }
    if (rights->stays_root_unasked())
        dfcd::log("it stays root, with CAP_NET_RAW alone: there is no user {}, and --user "
                  "names none",
                  dfcd::privileges::default_user);
    const auto started = dfcd::daemon::start(chosen, loaded, *rights);
    if (!started) {
        dfcd::log("{}", started.error().message());
        return failure;
    }
    return (*started)->run();
}

} // namespace

int main(int argc, char** argv) {
    // A pipe without a reader and a file at its limit are errors of one write, not the end.
    for (const int number : {SIGPIPE, SIGXFSZ})
        std::signal(number, SIG_IGN);
    try {
        const auto chosen = dfcd::read_options(argc, argv);
        if (const int* status = std::get_if<int>(&chosen))
            return *status;
        const auto& asked = std::get<dfcd::options>(chosen);
        if (!asked.hash_scheme.empty())
            return dfcd::hash_password(asked.hash_scheme);
        if (!asked.verify_audit.empty())
            return dfcd::verify_audit(asked);
        return asked.status ? show_status(asked) : serve(asked);
    } catch (const std::exception& broken) {
        dfcd::log("{}", broken.what());
        return failure;
    }
}
