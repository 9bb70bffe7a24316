// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <flowtap/config/load.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/path/data_path.hpp>
#include <flowtap/tap/access_point.hpp>
#include <flowtap/transport/channel_router.hpp>
#include <flowtap/transport/datagram_server.hpp>
#include <flowtap/transport/dtcp_service.hpp>
#include <flowtap/transport/event_loop.hpp>
#include <flowtap/transport/ssh_server.hpp>

#include "audit_file.hpp"
#include "bindings.hpp"
#include "egress_pool.hpp"
#include "kernel_filters.hpp"
#include "lines.hpp"
#include "logins.hpp"
#include "metrics_server.hpp"
#include "notifier.hpp"
#include "operator_commands.hpp"
#include "options.hpp"
#include "privileges.hpp"
#include "progress.hpp"
#include "sequence_file.hpp"
#include "subscriber_radius.hpp"
#include "subscribers.hpp"
#include "threads.hpp"

namespace dfcd {

/// The intercept access point as a program: the control side on an event loop in the caller's
/// thread, one more thread for every worker, and one for what can wait.
class daemon {
public:
    /// Becomes who it is to be and opens everything that can fail: audit log, sequence numbers,
    /// host key and sockets, inputs, the copies' way out, criteria, in this order; then gives up
    /// the rights that only opening takes. Errors carry what they are about.
    static flowtap::result<std::unique_ptr<daemon>>
    start(const options& chosen, const flowtap::config::loaded& loaded, const privileges& rights);
    ~daemon();
    daemon(const daemon&) = delete;
    daemon& operator=(const daemon&) = delete;

    /// Serves until SIGTERM or SIGINT, or with `--once` until the files are done. Returns the exit
    /// status: 0, or 1 when an input broke off or
    /// copies could not be written.
    int run();

private:
    /// One input, or its share of a device, with its worker and thread.
    struct line {
        bound_input input;
        flowtap::path::worker* worker = nullptr;
        std::thread thread;
        bool ended = false;
    };

    daemon(const options& chosen, std::unique_ptr<audit_file> audit,
           const flowtap::config::configuration& with);

    flowtap::result<void> open_server(const flowtap::config::configuration& with);
    flowtap::result<void> open_sequences(const flowtap::config::configuration& with);
    flowtap::result<void> open_sockets(const flowtap::config::configuration& with);
    /// Where it listens; nowhere in a batch job.
    meeting_points own_endpoints() const;
    flowtap::result<void> open_metrics();
    flowtap::result<void> open_subscribers(const flowtap::config::configuration& with);
    void apply_subscribers(const flowtap::config::configuration& next,
                           std::vector<std::string>& notes);
    /// Says, once, which engine of SNMP receivers are to know.
    void tell_engine();
    flowtap::result<void> open_inputs(const bindings& bound);
    flowtap::result<void> add_line(const bound_input& input,
                                   std::unique_ptr<flowtap::path::source> source);
    void open_access_point(flowtap::tap::settings with);
    void start_line(line& started);
    void start_devices();
    void start_files_when_due();
    replay_state replayed() const;
    void show_progress();
    void end_progress();
    void on_line_ended(line& ended, flowtap::path::worker::outcome how);
    flowtap::result<void> note(flowtap::tap::audit_event what);
    void note_refused_login(const flowtap::transport::login_attempt& attempt);
    /// A session of the command line begins or ends.
    void note_operator(flowtap::tap::audit_event what, const flowtap::permission::principal& who);
    /// What is to be done about logins: of those whom the configuration or RADIUS knows.
    logins::listeners login_listeners();
    /// The handler of a channel of the command line; null for those who may not use it.
    std::unique_ptr<flowtap::transport::channel_handler>
    open_command_line(const flowtap::transport::channel_request& asked);
    /// Ends the sessions of those whose permissions or keys are others now: soon, and not within a
    /// call of one of their channels.
    void disconnect(std::function<bool(const flowtap::permission::principal&)> chosen);
    /// What SIGHUP asks for: the audit log's path anew, and what operators have left.
    void on_hangup();
    void open_commands(const flowtap::config::loaded& loaded);
    /// Whether a configuration can take the place of the one in force; says who wants it so.
    flowtap::result<void> admit(const flowtap::config::configuration& next,
                                const flowtap::permission::principal& who);
    flowtap::result<void> note_commit(const flowtap::permission::principal& who,
                                      std::string detail);
    /// Puts it in its place. Returns what an operator is to know.
    std::vector<std::string> apply(const flowtap::config::configuration& next);
    std::string show(flowtap::cli::report what) const;
    /// Does what operators have asked for with `--reset-sequence`.
    void reset_sequences();
    void stop();
    control_counters count_control() const;
    void print_summary() const;

    const options options_;
    flowtap::transport::event_loop loop_;
    std::unique_ptr<audit_file> audit_;
    /// Null when no control source needs it.
    std::unique_ptr<sequence_file> sequences_;
    flowtap::path::data_path path_;
    /// None unless the configuration asks for it.
    std::optional<kernel_filters> kernel_filters_;
    /// Null when nothing goes over UDP.
    std::unique_ptr<flowtap::transport::datagram_server> datagrams_;
    /// The first of its sockets take requests; the others only send notifications.
    std::size_t request_sockets_ = 0;
    /// Null without `services radius-flow-tap`, the pool also where copies go to files.
    std::unique_ptr<egress_pool> pool_;
    std::unique_ptr<notifier> notifier_;
    std::unique_ptr<subscribers> subscribers_;
    /// Null when no RADIUS client tells of subscribers.
    std::unique_ptr<subscriber_radius> subscriber_radius_;
    std::unique_ptr<flowtap::tap::access_point> point_;
    std::unique_ptr<flowtap::transport::dtcp_service> service_;
    /// Merges criteria.
    std::unique_ptr<background_thread> background_;
    logins logins_;
    /// What is in force, and what of it is captured.
    flowtap::config::configuration in_force_;
    bindings bound_;
    /// Null while it starts.
    std::unique_ptr<operator_commands> commands_;
    flowtap::transport::channel_router router_;
    /// Null in a batch job, and in dynamic flow capture.
    std::unique_ptr<flowtap::transport::ssh_server> server_;
    /// Null when nothing serves status and metrics.
    std::unique_ptr<metrics_server> metrics_;
    std::unique_ptr<copy_outlet> outlet_;
    std::vector<std::unique_ptr<line>> lines_;
    std::size_t files_ = 0;
    std::size_t files_ended_ = 0;
    progress progress_;
    /// Set while the progress of the replay is shown.
    std::unique_ptr<flowtap::transport::loop_timer> progress_timer_;
    bool engine_told_ = false;
    bool replaying_ = false;
    bool broken_ = false;
};

} // namespace dfcd
