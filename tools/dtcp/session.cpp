// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>

#include <flowtap/crypto/hmac.hpp>
#include <flowtap/dtcp/error.hpp>
#include <flowtap/transport/dtcp_client.hpp>
#include <flowtap/transport/error.hpp>

#include "secrets.hpp"

namespace dtcp_tool {

using flowtap::result;
namespace dtcp = flowtap::dtcp;
namespace transport = flowtap::transport;

namespace {

/// The key of the HMAC. Over UDP there is no default: it would be no secret.
result<std::string> hmac_key(const options& asked) {
    if (!asked.key_file.empty())
        return first_line(asked.key_file);
    if (const char* const key = std::getenv("DTCP_KEY"))
        return std::string(key);
    if (asked.over_udp)
        return fail(flowtap::error(std::make_error_code(std::errc::no_message_available),
                                   "DTCP_KEY, or --key-file: over UDP a key is needed"));
    return std::string("Juniper");
}

/// Sequence numbers that grow from one run to the next: milliseconds since 1970.
std::uint64_t sequence_from_clock() {
    const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(since_1970);
    return static_cast<std::uint64_t>(milliseconds.count());
}

std::optional<std::string> password(const options& asked) {
    if (!asked.password_file.empty()) {
        const auto read = first_line(asked.password_file);
        if (!read)
            std::cerr << "dtcp: " << read.error().message() << '\n';
        return read ? std::optional(*read) : std::nullopt;
    }
    if (const char* const given = std::getenv("DTCP_PASSWORD"))
        return given;
    return ask_secret(asked.user + "@" + asked.host + "'s password: ");
}

transport::ssh_client_options ssh_options(const options& asked) {
    transport::ssh_client_options made;
    made.host = asked.host;
    made.port = asked.port;
    made.user = asked.user;
    made.timeout = asked.timeout;
    made.host_key_fingerprint = asked.host_key_fingerprint;
    made.known_hosts = asked.known_hosts;
    made.identities = asked.identities;
    made.accept_unknown_host = [&asked](std::string_view fingerprint) {
        return ask_host_key(asked.host, fingerprint);
    };
    made.password = [&asked] { return password(asked); };
    return made;
}

} // namespace

exit_code complain(std::string_view message, exit_code with) {
    std::cerr << "dtcp: " << message << '\n';
    return with;
}

void recorder::on_entry(dtcp::list_entry entry) {
    prepare();
    memory.learn(entry);
    to_->on_entry(std::move(entry));
}

void recorder::on_response(dtcp::response answer, dtcp::authenticity signature) {
    prepare();
    if (signature == dtcp::authenticity::verified) {
        memory.learn(answer);
        if (sequence)
            sequence->answered(answer.seq);
    }
    to_->on_response(std::move(answer), signature);
}

void recorder::on_notification(dtcp::notification told, dtcp::authenticity signature) {
    prepare();
    ++notifications;
    memory.learn(told);
    to_->on_notification(std::move(told), signature);
}

session::opened session::open(const options& asked, printer& answers) {
    std::unique_ptr<session> made(new session(asked, answers));
    if (const exit_code failed = made->open_all(); failed != exit_ok)
        return failed;
    return made;
}

exit_code session::open_all() {
    const auto key = hmac_key(*asked_);
    if (!key)
        return complain(key.error().message(), exit_usage);
    const transport::hash_maker make_hash = [key = *key]() -> std::unique_ptr<dtcp::keyed_hash> {
        return std::make_unique<flowtap::crypto::keyed_hash_as<dtcp::keyed_hash>>(key);
    };
    if (asked_->sequence_file)
        answers_.sequence.emplace(*asked_->sequence_file,
                                  sequence_owner{asked_->host, asked_->port, asked_->user},
                                  asked_->first_sequence, sequence_from_clock());
    if (const exit_code failed = listen(make_hash); failed != exit_ok)
        return failed;
    return connect(make_hash);
}

exit_code session::listen(const transport::hash_maker& make_hash) {
    if (!asked_->notify)
        return exit_ok;
    auto made = transport::notification_receiver::listen(*asked_->notify, make_hash);
    if (!made)
        return complain(made.error().message(), exit_connection);
    receiver_.emplace(std::move(*made));
    sources_.push_back(&*receiver_);
    if (asked_->notify->port == 0)
        std::cerr << "dtcp: notifications to " << to_string(receiver_->address()) << '\n';
    return exit_ok;
}

exit_code session::connect(const transport::hash_maker& make_hash) {
    if (!asked_->over_udp) {
        auto client = transport::dtcp_client::connect(ssh_options(*asked_), make_hash, numbers());
        if (!client)
            return complain(client.error().message(), exit_connection);
        link_ = std::make_unique<transport::dtcp_client>(std::move(*client));
    } else {
        transport::dtcp_udp_options how;
        how.host = asked_->host;
        how.port = asked_->port;
        how.csource_id = asked_->user;
        how.on_silence = [this](std::size_t, flowtap::sequence_number seq) {
            answers_.to().on_silence(seq);
        };
        auto client = transport::dtcp_udp_client::open(std::move(how), make_hash, numbers());
        if (!client)
            return complain(client.error().message(), exit_connection);
        auto made = std::make_unique<transport::dtcp_udp_client>(std::move(*client));
        datagrams_ = made.get();
        link_ = std::move(made);
    }
    sources_.push_back(link_.get());
    return exit_ok;
}

transport::sequence_numbers session::numbers() {
    if (!answers_.sequence)
        return transport::count_from(
            flowtap::sequence_number(asked_->first_sequence.value_or(sequence_from_clock())));
    return [this] { return answers_.sequence->next(); };
}

exit_code session::complain_about(const flowtap::error& reason) {
    std::string text = reason.message();
    // Why there was no answer, as far as one can know: the server tells nobody.
    if (reason.code == transport::errc::timed_out) {
        text += " (it never answers a request with a wrong key, Csource-ID or Seq)";
        if (datagrams_ != nullptr && datagrams_->refused() > 0)
            text += "; datagrams that did not verify: " + std::to_string(datagrams_->refused());
    }
    const bool of_file = answers_.sequence && answers_.sequence->failed();
    const bool of_user = reason.code == dtcp::errc::missing_sequence;
    return complain(text, of_file || of_user ? exit_usage : exit_connection);
}

void session::settle_sequence() {
    if (!answers_.sequence)
        return;
    if (answers_.sequence->is_far_ahead())
        complain("so many sequence numbers went without an answer that the access point may not "
                 "take the next before it is reset there",
                 exit_ok);
    if (const auto settled = answers_.sequence->settle(); !settled)
        complain(settled.error().message(), exit_ok);
}

exit_code session::ask(std::span<const transport::outgoing_request> requests) {
    const std::size_t errors = answers_.to().errors();
    const std::size_t forgeries = answers_.to().forgeries();
    if (answers_.sequence)
        answers_.sequence->expect(requests.size());
    const auto done = link_->exchange(requests, answers_, asked_->timeout);
    settle_sequence();
    if (!done)
        return complain_about(done.error());
    if (answers_.to().forgeries() > forgeries)
        return complain("an answer does not verify: it was signed with another key",
                        exit_connection);
    return answers_.to().errors() == errors ? exit_ok : exit_dtcp_error;
}

exit_code session::show_notifications(interruption& signals, std::optional<std::size_t> count,
                                      std::optional<std::chrono::milliseconds> timeout) {
    wait_conditions conditions;
    conditions.timeout = timeout;
    if (count)
        conditions.is_enough = [this, count] { return answers_.notifications >= *count; };
    const std::size_t forgeries = answers_.to().forgeries();
    const auto woken = wait_for_messages(sources_, answers_, signals, conditions);
    if (!woken)
        return complain_about(woken.error());
    if (answers_.to().forgeries() > forgeries)
        return complain("a notification does not verify: it was signed with another key",
                        exit_connection);
    if (*woken == wakeup::late)
        return complain("no notification came in time", exit_connection);
    return exit_ok;
}

} // namespace dtcp_tool
