// SPDX-License-Identifier: Apache-2.0
#include "daemon.hpp"

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>

#include <sys/socket.h>

#include <fmt/format.h>

#include <flowtap/core/descriptor.hpp>
#include <flowtap/crypto/hmac.hpp>

#include "criteria_file.hpp"
#include "error.hpp"
#include "lines.hpp"
#include "log.hpp"
#include "summary.hpp"

namespace dfcd {

namespace config = flowtap::config;
namespace path = flowtap::path;
namespace tap = flowtap::tap;
namespace transport = flowtap::transport;

namespace {

std::unique_ptr<flowtap::dtcp::keyed_hash> make_hash(std::string_view key) {
    return std::make_unique<flowtap::crypto::keyed_hash_as<flowtap::dtcp::keyed_hash>>(key);
}

/// Makes the directory of a file that dfcd writes, if it is missing.
flowtap::result<void> make_directory_of(const std::string& file) {
    const std::filesystem::path directory = std::filesystem::path(file).parent_path();
    std::error_code problem;
    if (!directory.empty() && !std::filesystem::exists(directory)) {
        std::filesystem::create_directories(directory, problem);
        if (!problem)
            std::filesystem::permissions(directory, std::filesystem::perms::owner_all, problem);
    }
    if (problem)
        return flowtap::fail(flowtap::error(problem, directory.string()));
    return {};
}

/// A batch job, whose criteria all come from a file, needs nobody to log in.
bool serves_ssh(const options& chosen) {
    return !chosen.once || chosen.criteria.empty() || !chosen.listen.empty();
}

/// Whether the kernel has IPv6 at all.
bool has_ipv6() {
    return static_cast<bool>(
        flowtap::descriptor(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)));
}

/// The addresses to listen on: every one of this machine if none is given.
flowtap::result<std::vector<flowtap::endpoint>> listen_endpoints(const options& chosen) {
    std::vector<std::string> addresses = chosen.listen;
    if (addresses.empty())
        addresses = has_ipv6() ? std::vector<std::string>{"0.0.0.0", "::"}
                               : std::vector<std::string>{"0.0.0.0"};
    std::vector<flowtap::endpoint> endpoints;
    for (const std::string& text : addresses) {
        const auto address = flowtap::parse_ip_address(text);
        if (!address)
            return flowtap::fail(address.error());
        endpoints.push_back({*address, chosen.port});
    }
    return endpoints;
}

} // namespace

daemon::daemon(const options& chosen, std::unique_ptr<audit_file> audit,
               const config::configuration& with)
    : options_(chosen), audit_(std::move(audit)), users_(with.logins) {
    router_.serve(
        transport::request_kind::subsystem, std::string(transport::dtcp_subsystem),
        [this](const transport::channel_request& asked) { return service_->open(asked); });
}

daemon::~daemon() {
    for (const auto& each : lines_) {
        each->worker->request_stop();
        if (each->thread.joinable())
            each->thread.join();
    }
}

flowtap::result<std::unique_ptr<daemon>> daemon::start(const options& chosen,
                                                       const config::configuration& with) {
    if (!chosen.criteria.empty() && with.logins.find_user(local_source) != nullptr)
        return flowtap::fail(errc::login_of_criteria_file, std::string(local_source));
    if (const auto made = make_directory_of(chosen.audit_log); !made)
        return flowtap::fail(made.error());
    auto audit = audit_file::open(chosen.audit_log);
    if (!audit)
        return flowtap::fail(audit.error());
    const auto bound = bind_inputs(chosen, with);
    if (!bound)
        return flowtap::fail(bound.error());

    std::unique_ptr<daemon> made(new daemon(chosen, std::move(*audit), with));
    if (const auto written = made->note(tap::audit_event::start); !written)
        return flowtap::fail(written.error());
    if (serves_ssh(chosen))
        if (const auto opened = made->open_server(with); !opened)
            return flowtap::fail(opened.error());
    if (const auto opened = made->open_inputs(*bound); !opened)
        return flowtap::fail(opened.error());
    made->open_access_point(tap_settings(with, *bound, made->addresses()));
    if (!chosen.criteria.empty()) {
        const auto key = with.flow_tap->settings_of(local_source).dtcp_key;
        const auto hash = make_hash(key.value_or(tap::control_source_settings{}.key));
        const auto loaded = load_criteria(chosen.criteria, *hash, *made->point_, made->loop_.now());
        if (!loaded)
            return flowtap::fail(loaded.error());
    }
    return made;
}

void daemon::open_access_point(tap::settings with) {
    point_ = std::make_unique<tap::access_point>(std::move(with),
                                                 tap::surroundings{path_, *audit_, make_hash});
    service_ = std::make_unique<transport::dtcp_service>(loop_, *point_);
    service_->on_turn([this] { start_files_when_due(); });
    path_.on_news([this] { service_->wake(); });
}

flowtap::result<void> daemon::open_inputs(const bindings& bound) {
    auto outlet = copy_outlet::open(options_);
    if (!outlet)
        return flowtap::fail(outlet.error());
    outlet_ = std::move(*outlet);
    for (const bound_input& input : bound.inputs) {
        auto source = open_source(input, options_);
        if (!source)
            return flowtap::fail(source.error());
        auto sink = outlet_->make_sink();
        if (!sink)
            return flowtap::fail(sink.error());
        auto added = std::make_unique<line>();
        added->input = input;
        added->worker = &path_.add_worker(std::move(*source), std::move(*sink));
        files_ += input.from.from == input::kind::file;
        lines_.push_back(std::move(added));
    }
    return {};
}

flowtap::result<void> daemon::open_server(const config::configuration& with) {
    if (const auto made = make_directory_of(options_.host_key); !made)
        return flowtap::fail(made.error());
    auto listen = listen_endpoints(options_);
    if (!listen)
        return flowtap::fail(listen.error());
    const config::ssh_limits limits = with.flow_tap_dtcp.value_or(config::ssh_limits{});
    transport::ssh_server_options server;
    server.listen = std::move(*listen);
    server.host_key = options_.host_key;
    server.connection_limit = limits.connection_limit;
    server.rate_limit = limits.rate_limit;
    auto opened = transport::ssh_server::listen(loop_, std::move(server), users_, router_);
    if (!opened)
        return flowtap::fail(opened.error());
    server_ = std::move(*opened);
    return {};
}

std::vector<flowtap::endpoint> daemon::addresses() const {
    return server_ ? server_->addresses() : std::vector<flowtap::endpoint>{};
}

int daemon::run() {
    for (const int number : {SIGTERM, SIGINT})
        loop_.on_signal(number, [this] { stop(); });
    for (const flowtap::endpoint& where : addresses())
        log("listening on {} port {}", to_string(where.address), where.port);
    if (server_)
        log("the host key is {}", server_->fingerprint());
    loop_.post([this] {
        start_devices();
        start_files_when_due();
        if (files_ != 0 && !replaying_)
            log("the replay begins when {} criteria are in place", options_.start_after);
    });
    loop_.run();
    if (const auto written = note(tap::audit_event::stop); !written)
        log("{}", written.error().message());

    if (server_)
        server_->stop();
    for (const auto& each : lines_)
        each->worker->request_stop();
    for (const auto& each : lines_)
        if (each->thread.joinable())
            each->thread.join();
    if (const flowtap::error failure = outlet_->failure(); failure.code) {
        broken_ = true;
        log("copies could not be written: {}", failure.message());
    }
    print_summary();
    return broken_ ? 1 : 0;
}

void daemon::start_line(line& started) {
    started.thread = std::thread([this, &started] {
        const path::worker::outcome how = started.worker->run();
        loop_.post([this, &started, how] { on_line_ended(started, how); });
    });
}

void daemon::start_devices() {
    for (const auto& each : lines_)
        if (each->input.from.from == input::kind::device)
            start_line(*each);
}

void daemon::start_files_when_due() {
    const bool may_come = server_ && point_->state().criteria < options_.start_after;
    if (replaying_ || files_ == 0 || may_come)
        return;
    replaying_ = true;
    log("the replay begins");
    for (const auto& each : lines_)
        if (each->input.from.from == input::kind::file)
            start_line(*each);
}

void daemon::on_line_ended(line& ended, path::worker::outcome how) {
    ended.ended = true;
    if (how == path::worker::outcome::failed) {
        broken_ = true;
        log("an input broke off: {}", ended.worker->packets().failure().message());
    }
    if (ended.input.from.from != input::kind::file)
        return;
    if (++files_ended_ == files_) {
        log("the replay has ended");
        if (options_.once)
            stop();
    }
}

flowtap::result<void> daemon::note(tap::audit_event what) {
    tap::audit_record record;
    record.time = loop_.now().wall;
    record.event = what;
    return audit_->write(record);
}

void daemon::stop() {
    loop_.stop();
}

void daemon::print_summary() const {
    const path::path_counters counted = path_.counters();
    const std::string text = options_.json ? summary_json(counted) : summary_text(counted);
    // Standard output may be where the copies went.
    std::FILE* const to = options_.write == "-" ? stderr : stdout;
    std::fwrite(text.data(), 1, text.size(), to);
    std::fflush(to);
}

} // namespace dfcd
