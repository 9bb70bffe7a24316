// SPDX-License-Identifier: Apache-2.0
#include "daemon.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <span>
#include <string>
#include <utility>

#include <flowtap/crypto/digest.hpp>
#include <flowtap/crypto/hmac.hpp>

#include "criteria_file.hpp"
#include "error.hpp"
#include "lines.hpp"
#include "listeners.hpp"
#include "log.hpp"
#include "state_files.hpp"
#include "summary.hpp"

namespace dfcd {

namespace config = flowtap::config;
namespace path = flowtap::path;
namespace tap = flowtap::tap;
namespace transport = flowtap::transport;

namespace {

/// Logins may wait for RADIUS servers, each on a thread. More connections than this cannot be
/// configured.
constexpr std::size_t most_login_threads = 250;

/// What control sources are told at every start, as Alert-Info.
constexpr std::string_view start_reason = "the access point has started: no criterion is in place";

std::unique_ptr<flowtap::dtcp::keyed_hash> make_hash(std::string_view key) {
    return std::make_unique<flowtap::crypto::keyed_hash_as<flowtap::dtcp::keyed_hash>>(key);
}

void log_change(const std::string& device, flowtap::capture::device_state changed) {
    using flowtap::capture::device_state;
    switch (changed) {
    case device_state::up:
        return log("{} is up again: it is captured", device);
    case device_state::down:
        return log("{} is down: nothing is captured until it is up", device);
    case device_state::gone:
        return log("{} is gone: nothing is captured until there is such a device again", device);
    }
}

/// The data path's options: what it needs of randomness.
path::data_path_options path_options() {
    path::data_path_options made;
    flowtap::crypto::fill_random(std::as_writable_bytes(std::span(made.fragments.hash)));
    return made;
}

/// Where the SNMP engine of notifications is kept: beside the sequence numbers.
std::string engine_file_of(const std::string& sequence_file) {
    return directory_of(sequence_file) + "/snmp-engine";
}

bool notifies(const config::configuration& with) {
    return with.radius_flow_tap && !with.radius_flow_tap->snmp.targets.empty();
}

/// Makes the directories that are missing, and becomes the user who is to own what is in them.
flowtap::result<void> become_user(const options& chosen, const config::configuration& with,
                                  const privileges& rights) {
    std::vector<std::string> written{chosen.audit_log, chosen.audit_key};
    if (serves_ssh(chosen, with))
        written.push_back(chosen.host_key);
    if (keeps_sequences(with))
        written.push_back(chosen.sequence_file);
    if (notifies(with))
        written.push_back(engine_file_of(chosen.sequence_file));
    for (const std::string& file : written)
        if (const auto made = rights.make_directory_of(file); !made)
            return flowtap::fail(made.error());
    return rights.become();
}

/// Whether there is what inputs and copies need.
flowtap::result<void> check_capabilities(const options& chosen, const bindings& bound) {
    if (bound.inputs.empty() || has_net_raw())
        return {};
    for (const bound_input& each : bound.inputs)
        if (each.from.from == input::kind::device)
            return flowtap::fail(errc::no_raw_capture, each.from.name);
    if (chosen.write.empty())
        return flowtap::fail(errc::no_raw_sockets);
    return {};
}

/// The requests of `--criteria`; none without it.
flowtap::result<std::vector<file_request>> read_criteria(const options& chosen,
                                                         const config::configuration& with) {
    if (chosen.criteria.empty())
        return std::vector<file_request>{};
    const auto key = with.flow_tap->settings_of(local_source).dtcp_key;
    const auto hash = make_hash(key.value_or(tap::control_source_settings{}.key));
    return read_criteria_file(chosen.criteria, *hash);
}

} // namespace

daemon::daemon(const options& chosen, std::unique_ptr<audit_file> audit,
               const config::configuration& with)
    : options_(chosen), audit_(std::move(audit)), path_(path_options()),
      logins_(loop_, chosen.criteria.empty() ? std::string_view() : local_source,
              login_listeners()),
      in_force_(with), progress_(chosen.shown) {
    router_.serve(transport::request_kind::subsystem, std::string(transport::dtcp_subsystem),
                  [this](const transport::channel_request& asked) {
                      // It may have been let in while a commit took that away.
                      return logins_.still_holds(asked.who) ? service_->open(asked) : nullptr;
                  });
}

logins::listeners daemon::login_listeners() {
    return {[this](const transport::login_attempt& refused) {
                loop_.post([this, refused] { note_refused_login(refused); });
            },
            [this](const std::string& name) {
                point_->withdraw(name, loop_.now());
                service_->request_turn();
            },
            [this](const flowtap::permission::principal& who) {
                disconnect([who](const auto& other) {
                    return other.name == who.name &&
                           other.from == flowtap::permission::origin::radius &&
                           other.permissions != who.permissions;
                });
            }};
}

daemon::~daemon() {
    logins_.stop();
    for (const auto& each : lines_) {
        each->worker->request_stop();
        if (each->thread.joinable())
            each->thread.join();
    }
}

flowtap::result<std::unique_ptr<daemon>>
daemon::start(const options& chosen, const config::loaded& loaded_file, const privileges& rights) {
    const config::configuration& with = loaded_file.settings;
    if (!chosen.criteria.empty() && !with.flow_tap)
        return flowtap::fail(errc::criteria_file_without_ssh, chosen.criteria);
    if (!chosen.criteria.empty() && with.logins.find_user(local_source) != nullptr)
        return flowtap::fail(errc::login_of_criteria_file, std::string(local_source));
    if (const auto ready = become_user(chosen, with, rights); !ready)
        return flowtap::fail(ready.error());
    auto audit =
        audit_file::open(chosen.audit_log, chosen.audit_key, std::chrono::system_clock::now());
    if (!audit)
        return flowtap::fail(audit.error());
    const auto bound = bind_inputs(chosen, with);
    if (!bound)
        return flowtap::fail(bound.error());

    std::unique_ptr<daemon> made(new daemon(chosen, std::move(*audit), with));
    // Whoever finds the files in use may send the signal from here on.
    made->loop_.on_signal(SIGHUP, [daemon = made.get()] { daemon->on_hangup(); });
    if (const auto opened = made->open_sequences(with); !opened)
        return flowtap::fail(opened.error());
    if (const auto written = made->note(tap::audit_event::start); !written)
        return flowtap::fail(written.error());
    if (const auto opened = made->open_sockets(with); !opened)
        return flowtap::fail(opened.error());
    if (const auto opened = made->open_metrics(); !opened)
        return flowtap::fail(opened.error());
    if (const auto opened = made->open_subscribers(with); !opened)
        return flowtap::fail(opened.error());
    if (const auto able = check_capabilities(chosen, *bound); !able)
        return flowtap::fail(able.error());
    if (with.flow_tap && with.flow_tap->kernel_filter)
        made->kernel_filters_.emplace();
    if (const auto opened = made->open_inputs(*bound); !opened)
        return flowtap::fail(opened.error());
    const auto criteria = read_criteria(chosen, with);
    if (!criteria)
        return flowtap::fail(criteria.error());
    auto settings = tap_settings(with, *bound, made->own_endpoints());
    if (!settings)
        return flowtap::fail(settings.error());
    // Everything is open, and there is no second thread yet.
    if (const auto dropped = rights.drop(); !dropped)
        return flowtap::fail(dropped.error());
    if (made->sequences_)
        if (const auto able = privileges::check_directory_of(chosen.sequence_file); !able)
            return flowtap::fail(able.error());
    made->bound_ = *bound;
    made->open_access_point(std::move(*settings));
    made->open_commands(loaded_file);
    if (!chosen.criteria.empty()) {
        const auto loaded =
            load_criteria(chosen.criteria, *criteria, *made->point_, made->loop_.now());
        if (!loaded)
            return flowtap::fail(loaded.error());
    }
    if (made->datagrams_)
        made->point_->announce_start(start_reason, made->loop_.now());
    return made;
}

void daemon::open_access_point(tap::settings with) {
    background_ = std::make_unique<background_thread>(
        [this] { loop_.post([this] { service_->request_turn(); }); });
    point_ = std::make_unique<tap::access_point>(
        std::move(with),
        tap::surroundings{path_, *audit_, make_hash, sequences_.get(),
                          [this](std::function<void()> what) { background_->run(std::move(what)); },
                          kernel_filters_ ? &*kernel_filters_ : nullptr,
                          subscribers_ ? &subscribers_->service() : nullptr});
    if (subscribers_)
        subscribers_->begin(point_->mirrors(), loop_.now());
    service_ = std::make_unique<transport::dtcp_service>(loop_, *point_);
    if (datagrams_)
        service_->send_through(*datagrams_);
    service_->on_turn([this] {
        start_files_when_due();
        if (kernel_filters_)
            kernel_filters_->report(point_->kernel_filter_states());
    });
    path_.on_news([this] { service_->wake(); });
}

flowtap::result<void> daemon::open_subscribers(const config::configuration& with) {
    if (!with.radius_flow_tap)
        return {};
    if (options_.write.empty()) {
        auto pool =
            egress_pool::open(options_, loop_, [this](const std::string& name, bool usable) {
                subscribers_->all().set_member(name, usable, loop_.now());
                if (service_)
                    service_->request_turn();
            });
        if (!pool)
            return flowtap::fail(pool.error());
        pool_ = std::move(*pool);
    }
    auto notified =
        notifier::open(loop_, engine_file_of(options_.sequence_file), with.radius_flow_tap->snmp);
    if (!notified)
        return flowtap::fail(notified.error());
    notifier_ = std::move(*notified);
    auto made = subscribers::make(*with.radius_flow_tap, *audit_, pool_.get(), *notifier_);
    if (!made)
        return flowtap::fail(made.error());
    subscribers_ = std::move(*made);
    auto radius = subscriber_radius::open(loop_, *with.radius_flow_tap, *subscribers_,
                                          [this] { service_->request_turn(); });
    if (!radius)
        return flowtap::fail(radius.error());
    subscriber_radius_ = std::move(*radius);
    return {};
}

void daemon::tell_engine() {
    if (!notifier_ || !notifier_->engine() || std::exchange(engine_told_, true))
        return;
    for (const flowtap::endpoint& where : notifier_->addresses())
        log("notifications about subscribers leave from {} port {} (UDP), engine {}",
            to_string(where.address), where.port, to_string(*notifier_->engine()));
}

flowtap::result<void> daemon::open_inputs(const bindings& bound) {
    auto outlet = copy_outlet::open(options_);
    if (!outlet)
        return flowtap::fail(outlet.error());
    outlet_ = std::move(*outlet);
    for (const bound_input& input : bound.inputs) {
        flowtap::capture::live_options how;
        how.on_change = [this, device = input.from.name](auto changed) {
            loop_.post([device, changed] { log_change(device, changed); });
        };
        if (kernel_filters_ && input.from.from == input::kind::device)
            how.in_kernel = kernel_filters_->of(input.port, input.from.name);
        auto opened = open_input(input, options_, std::move(how));
        if (!opened)
            return flowtap::fail(opened.error());
        if (!opened->how.empty())
            log("{}", opened->how);
        for (auto& source : opened->sources)
            if (const auto added = add_line(input, std::move(source)); !added)
                return added;
    }
    return {};
}

/// Adds a worker that reads an input, or a share of it.
flowtap::result<void> daemon::add_line(const bound_input& input,
                                       std::unique_ptr<path::source> source) {
    auto sink = outlet_->make_sink(input.from);
    if (sink && pool_)
        sink = pool_->make_sink(std::move(*sink));
    if (!sink)
        return flowtap::fail(sink.error());
    auto added = std::make_unique<line>();
    added->input = input;
    added->worker =
        &path_.add_worker(std::move(source), std::move(*sink), worker_options_for(options_));
    files_ += input.from.from == input::kind::file;
    lines_.push_back(std::move(added));
    return {};
}

flowtap::result<void> daemon::open_sequences(const config::configuration& with) {
    if (!keeps_sequences(with))
        return {};
    auto opened = sequence_file::open(options_.sequence_file);
    if (!opened)
        return flowtap::fail(opened.error());
    if (std::holds_alternative<sequence_file::holder>(*opened))
        return flowtap::fail(errc::sequence_file_in_use, options_.sequence_file);
    sequences_ = std::move(std::get<std::unique_ptr<sequence_file>>(*opened));
    if (sequences_->empty())
        log("no sequence number is stored: the first authentic request of each control source on "
            "UDP sets its own");
    return {};
}

flowtap::result<void> daemon::open_sockets(const config::configuration& with) {
    if (serves_ssh(options_, with))
        if (const auto opened = open_server(with); !opened)
            return opened;
    const auto requests = udp_endpoints(options_, with);
    if (!requests)
        return flowtap::fail(requests.error());
    const std::vector<flowtap::ip_address> receivers = notification_receivers(options_, with);
    if (requests->empty() && receivers.empty())
        return {};
    auto opened = transport::datagram_server::listen(
        loop_, *requests,
        [this](const flowtap::endpoint& from, const flowtap::endpoint& at,
               flowtap::byte_view octets) { service_->receive(from, at, octets); },
        {}, receivers);
    if (!opened)
        return flowtap::fail(opened.error());
    datagrams_ = std::move(*opened);
    request_sockets_ = requests->size();
    return {};
}

flowtap::result<void> daemon::open_metrics() {
    if (!options_.metrics)
        return {};
    auto opened = metrics_server::open(*options_.metrics, path_, [this](auto answer) {
        loop_.post([this, answer = std::move(answer)] { answer(count_control()); });
    });
    if (!opened)
        return flowtap::fail(opened.error());
    metrics_ = std::move(*opened);
    return {};
}

flowtap::result<void> daemon::open_server(const config::configuration& with) {
    if (const auto ready = logins_.apply(with); !ready)
        return flowtap::fail(ready.error());
    auto listen = ssh_endpoints(options_);
    if (!listen)
        return flowtap::fail(listen.error());
    const config::ssh_limits limits = with.flow_tap_dtcp.value_or(config::ssh_limits{});
    transport::ssh_server_options server;
    server.listen = std::move(*listen);
    server.host_key = options_.host_key;
    server.connection_limit = limits.connection_limit;
    server.rate_limit = limits.rate_limit;
    server.login_threads = most_login_threads;
    server.login = login_limits_of(with);
    auto opened =
        transport::ssh_server::listen(loop_, std::move(server), logins_.authenticator(), router_);
    if (!opened)
        return flowtap::fail(opened.error());
    server_ = std::move(*opened);
    return {};
}

meeting_points daemon::own_endpoints() const {
    meeting_points own;
    if (server_)
        own.ssh = server_->addresses();
    if (subscriber_radius_)
        own.radius = subscriber_radius_->addresses();
    if (notifier_)
        own.snmp = notifier_->addresses();
    if (datagrams_)
        own.udp = datagrams_->addresses();
    if (metrics_ && metrics_->endpoint())
        own.metrics.push_back(*metrics_->endpoint());
    return own;
}

int daemon::run() {
    for (const int number : {SIGTERM, SIGINT})
        loop_.on_signal(number, [this] { stop(); });
    const meeting_points own = own_endpoints();
    for (const flowtap::endpoint& where : own.ssh)
        log("listening on {} port {}", to_string(where.address), where.port);
    for (std::size_t i = 0; i < own.udp.size(); ++i)
        log("{} {} port {} (UDP)",
            i < request_sockets_ ? "listening on" : "notifications leave from",
            to_string(own.udp[i].address), own.udp[i].port);
    for (const flowtap::endpoint& where : own.metrics)
        log("metrics are served at {} port {}", to_string(where.address), where.port);
    for (const flowtap::endpoint& where : own.radius)
        log("listening for RADIUS on {} port {}", to_string(where.address), where.port);
    tell_engine();
    if (server_)
        log("the host key is {}", server_->fingerprint());
    if (metrics_)
        metrics_->start();
    loop_.post([this] {
        reset_sequences();
        service_->request_turn();
        start_devices();
        start_files_when_due();
        if (files_ != 0 && !replaying_)
            log("the replay begins when {} criteria are in place", options_.start_after);
    });
    loop_.run();
    end_progress();
    metrics_ = nullptr;
    if (!point_->save_sequences())
        log("sequence numbers could not be stored exactly: up to a block of the next ones of each "
            "control source will not be taken");
    if (const auto written = note(tap::audit_event::stop); !written)
        log("{}", written.error().message());
    // Before copies in a file are: file systems that keep an order would have it wait for all of
    // them.
    audit_->sync();

    if (server_)
        server_->stop();
    logins_.stop();
    for (const auto& each : lines_)
        each->worker->request_stop();
    for (const auto& each : lines_)
        if (each->thread.joinable())
            each->thread.join();
    background_ = nullptr;
    for (const auto& each : lines_)
        if (const auto whole = flowtap::capture::counters_of(each->worker->packets()).unsplit)
            log("{} packets of {} were merged in a way that cannot be undone, and taken as they "
                "were",
                whole, each->input.from.name);
    if (const flowtap::error failure = outlet_->failure(); failure.code) {
        broken_ = true;
        log("copies could not be written: {}", failure.message());
    }
    print_summary();
    return broken_ ? 1 : 0;
}

flowtap::result<void> daemon::note(tap::audit_event what) {
    tap::audit_record record;
    record.time = loop_.now().wall;
    record.event = what;
    return audit_->write(record);
}

void daemon::note_refused_login(const transport::login_attempt& attempt) {
    constexpr std::size_t longest_name = 256;
    tap::audit_record record;
    record.time = loop_.now().wall;
    record.event = tap::audit_event::refusal;
    record.principal = attempt.user.substr(0, longest_name);
    record.peer = to_string(attempt.peer);
    record.detail = "the login was refused";
    if (const auto written = audit_->write(record); !written)
        log("{}", written.error().message());
}

void daemon::stop() {
    loop_.stop();
}

control_counters daemon::count_control() const {
    control_counters now{point_->state(),
                         datagrams_ ? datagrams_->counters() : transport::datagram_counters{},
                         point_->kernel_filter_states()};
    if (subscribers_)
        now.subscribers = subscribers_->all().state();
    if (subscriber_radius_)
        now.radius = subscriber_radius_->counters();
    if (notifier_)
        now.notifications = notifier_->counters();
    return now;
}

void daemon::print_summary() const {
    const totals counted{path_.statistics(), count_control()};
    const std::string text = options_.json ? summary_json(counted) : summary_text(counted);
    // Standard output may be where the copies went.
    std::FILE* const to = options_.write == "-" ? stderr : stdout;
    std::fwrite(text.data(), 1, text.size(), to);
    std::fflush(to);
}

} // namespace dfcd
