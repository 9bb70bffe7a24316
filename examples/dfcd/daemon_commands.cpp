// SPDX-License-Identifier: Apache-2.0
//
// The part of the daemon that does what operators ask for: their command line, commits, signals.
#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <flowtap/config/changes.hpp>

#include "command_channel.hpp"
#include "daemon.hpp"
#include "error.hpp"
#include "log.hpp"
#include "reset_requests.hpp"
#include "summary.hpp"

namespace dfcd {

namespace config = flowtap::config;
namespace tap = flowtap::tap;
namespace transport = flowtap::transport;

void daemon::open_commands(const config::loaded& loaded) {
    commands_ = std::make_unique<operator_commands>(
        options_.config, loaded.statements,
        operator_commands::service{
            [this](const auto& next, const auto& who) { return admit(next, who); },
            [this](const auto& who) {
                if (const auto noted = note_commit(who, "failed: it could not be stored"); !noted)
                    log("{}", noted.error().message());
            },
            [this](const auto& next) { return apply(next); },
            [this](flowtap::cli::report what) { return show(what); }});
    for (const auto kind : {transport::request_kind::exec, transport::request_kind::shell})
        router_.serve_all(kind, [this](const transport::channel_request& asked) {
            return open_command_line(asked);
        });
    router_.allow_terminal(flowtap::cli::session::admits);
}

std::unique_ptr<transport::channel_handler>
daemon::open_command_line(const transport::channel_request& asked) {
    if (!logins_.still_holds(asked.who))
        return nullptr;
    auto opened = command_channel::open(*commands_, asked, loop_, [this, who = asked.who] {
        note_operator(tap::audit_event::logout, who);
    });
    if (opened)
        note_operator(tap::audit_event::login, asked.who);
    return opened;
}

flowtap::result<void> daemon::admit(const config::configuration& next,
                                    const flowtap::permission::principal& who) {
    if (!next.flow_tap && !next.dynamic_flow_capture)
        return flowtap::fail(errc::nothing_to_serve);
    if (next.flow_tap.has_value() != in_force_.flow_tap.has_value())
        return flowtap::fail(errc::other_service);
    if (const auto able = check_radius(next); !able)
        return flowtap::fail(able.error());
    if (next.radius_flow_tap)
        if (const auto able = subscribers::check(*next.radius_flow_tap); !able)
            return flowtap::fail(able.error());
    if (next.radius_flow_tap)
        if (const auto able = check_snmp(next.radius_flow_tap->snmp); !able)
            return flowtap::fail(able.error());
    if (const auto settings = tap_settings(next, bound_, own_endpoints()); !settings)
        return flowtap::fail(settings.error());
    return note_commit(who, {});
}

flowtap::result<void> daemon::note_commit(const flowtap::permission::principal& who,
                                          std::string detail) {
    tap::audit_record record;
    record.time = loop_.now().wall;
    record.event = tap::audit_event::commit;
    record.principal = who.name;
    record.detail = std::move(detail);
    if (who.peer)
        record.peer = to_string(*who.peer);
    return audit_->write(record);
}

std::vector<std::string> daemon::apply(const config::configuration& next) {
    const config::changes changed = config::apply(in_force_, next);
    const auto now = loop_.now();
    const auto is_among = [](const std::vector<std::string>& names, std::string_view name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    logins::changes remote;
    if (server_) {
        if (auto applied = logins_.apply(next))
            remote = std::move(*applied);
        else
            log("logins are decided on as before: {}", applied.error().message());
    }
    point_->apply(
        *tap_settings(next, bound_, own_endpoints()),
        [&](std::string_view source) {
            return !is_among(changed.tapping_ended, source) &&
                   !is_among(remote.tapping_ended, source);
        },
        now);
    if (changed.service_restarted)
        point_->restart(now);
    if (server_) {
        const config::ssh_limits limits = next.flow_tap_dtcp.value_or(config::ssh_limits{});
        server_->limit(limits.connection_limit, limits.rate_limit);
        server_->limit(login_limits_of(next));
        disconnect([is_among, here = changed.logins_changed,
                    there = std::move(remote.logins_changed)](const auto& who) {
            return is_among(here, who.name) ||
                   (who.from == flowtap::permission::origin::radius && is_among(there, who.name));
        });
    }
    std::vector<std::string> notes;
    if (changed.radius_flow_tap_changed)
        apply_subscribers(next, notes);
    in_force_ = next;
    service_->request_turn();

    if (changed.service_restarted)
        notes.emplace_back("all filters are deleted and all mediation devices disconnected");
    if (changed.interfaces_changed || changed.udp_listen_changed || changed.kernel_filter_changed)
        notes.emplace_back("warning: what is captured, where requests over UDP come in and whether "
                           "the kernel filters change when dfcd is started again");
    return notes;
}

std::string daemon::show(flowtap::cli::report what) const {
    const totals counted{path_.statistics(), count_control()};
    if (what == flowtap::cli::report::statistics)
        return status_text(counted);
    const tap::status& now = counted.control.tap;
    return fmt::format("Service:                   {}\n"
                       "Filters:                   {}\n"
                       "Control sources:           {}\n"
                       "Sessions:                  {}\n"
                       "Content destinations:      {}\n",
                       in_force_.flow_tap ? "flow-tap" : "dynamic-flow-capture", now.criteria,
                       now.control_sources, now.sessions, now.content_destinations);
}

void daemon::apply_subscribers(const config::configuration& next, std::vector<std::string>& notes) {
    const auto now = loop_.now();
    if (subscribers_ && next.radius_flow_tap) {
        // What the rest of the commit does is for those who are entitled from now on.
        if (const auto applied = notifier_->apply(next.radius_flow_tap->snmp); !applied)
            notes.push_back(fmt::format("warning: nobody is notified about subscribers: {}",
                                        applied.error().message()));
        else
            tell_engine();
        subscribers_->apply(*next.radius_flow_tap, now);
    } else if (subscribers_)
        subscribers_->end_all(now);
    const auto settings = next.radius_flow_tap.value_or(config::radius_flow_tap_settings{});
    if (subscriber_radius_)
        subscriber_radius_->set_clients(settings);
    const auto before = in_force_.radius_flow_tap.value_or(config::radius_flow_tap_settings{});
    const bool is_elsewhere = settings.listen != before.listen ||
                              settings.accounting_port != before.accounting_port ||
                              settings.authorization_port != before.authorization_port;
    if (!subscribers_ || is_elsewhere)
        notes.emplace_back("warning: where RADIUS tells of subscribers, and whether there is "
                           "radius-flow-tap at all, changes when dfcd is started again");
}

void daemon::note_operator(tap::audit_event what, const flowtap::permission::principal& who) {
    tap::audit_record record;
    record.time = loop_.now().wall;
    record.event = what;
    record.principal = who.name;
    if (who.peer)
        record.peer = to_string(*who.peer);
    record.detail = "the command line";
    if (what == tap::audit_event::login)
        record.detail += ' ' + to_string(who.permissions);
    if (const auto written = audit_->write(record); !written)
        log("{}", written.error().message());
}

void daemon::disconnect(std::function<bool(const flowtap::permission::principal&)> chosen) {
    loop_.post([this, chosen = std::move(chosen)] {
        if (server_)
            server_->disconnect(chosen);
    });
}

void daemon::on_hangup() {
    commands_->reload();
    if (const auto opened = audit_->reopen(loop_.now().wall); !opened)
        log("the audit log could not be opened anew: {}", opened.error().message());
    reset_sequences();
}

void daemon::reset_sequences() {
    if (!sequences_)
        return;
    const reset_requests requests(options_.sequence_file);
    for (const std::string& source : requests.waiting()) {
        const bool forgotten = point_->reset_sequence(source, loop_.now());
        if (forgotten) {
            requests.withdraw(source);
            log("the sequence number of a control source is forgotten, as was asked for");
        } else {
            requests.refuse(source);
            log("the sequence number of a control source could not be forgotten");
        }
    }
    service_->request_turn();
}

} // namespace dfcd
