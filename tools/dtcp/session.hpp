// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include <flowtap/core/result.hpp>
#include <flowtap/transport/dtcp_link.hpp>
#include <flowtap/transport/dtcp_udp_client.hpp>

#include "options.hpp"
#include "printer.hpp"
#include "sequence_file.hpp"
#include "session_memory.hpp"
#include "waiting.hpp"

namespace dtcp_tool {

/// Prints what comes, and keeps what is to be known about it later.
class recorder final : public flowtap::dtcp::response_handler {
public:
    explicit recorder(printer& to) : to_(&to) {}

    void on_entry(flowtap::dtcp::list_entry entry) override;
    void on_response(flowtap::dtcp::response answer,
                     flowtap::dtcp::authenticity signature) override;
    void on_notification(flowtap::dtcp::notification told,
                         flowtap::dtcp::authenticity signature) override;

    std::size_t notifications = 0;
    session_memory memory;
    std::optional<sequence_file> sequence;
    /// Called before anything is printed.
    std::function<void()> before_print;
    printer& to() const noexcept { return *to_; }

private:
    void prepare() const {
        if (before_print)
            before_print();
    }

    printer* to_;
};

/// The way to the access point. Every function tells of an error on standard error, and returns the
/// exit code that goes with it.
class session {
public:
    using opened = std::variant<std::unique_ptr<session>, exit_code>;

    /// Connects and logs in over SSH, or opens a socket, and listens for notifications where that
    /// is asked for.
    static opened open(const options& asked, printer& answers);

    /// Asks, and prints the answers.
    exit_code ask(std::span<const flowtap::transport::outgoing_request> requests);

    /// Shows notifications until `count` have come since the program began, or, without one, until
    /// it is interrupted.
    exit_code show_notifications(interruption& signals, std::optional<std::size_t> count,
                                 std::optional<std::chrono::milliseconds> timeout);

    /// Everything that messages come from.
    const std::vector<flowtap::transport::message_source*>& sources() const { return sources_; }
    recorder& answers() noexcept { return answers_; }
    /// Tells of an error of the way.
    exit_code complain_about(const flowtap::error& reason);

private:
    session(const options& asked, printer& answers) : asked_(&asked), answers_(answers) {}

    exit_code open_all();
    exit_code listen(const flowtap::transport::hash_maker& make_hash);
    exit_code connect(const flowtap::transport::hash_maker& make_hash);
    flowtap::transport::sequence_numbers numbers();
    void settle_sequence();

    const options* asked_;
    recorder answers_;
    std::unique_ptr<flowtap::transport::dtcp_link> link_;
    /// The same, if it goes over UDP.
    flowtap::transport::dtcp_udp_client* datagrams_ = nullptr;
    std::optional<flowtap::transport::notification_receiver> receiver_;
    std::vector<flowtap::transport::message_source*> sources_;
};

/// Tells of a failure on standard error, and returns `with`.
exit_code complain(std::string_view message, exit_code with);

} // namespace dtcp_tool
