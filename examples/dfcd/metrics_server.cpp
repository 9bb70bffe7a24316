// SPDX-License-Identifier: Apache-2.0
#include "metrics_server.hpp"

// Asio 1.74 uses std::exchange without including <utility>, which gcc 12 notices in C++20.
#include <utility>

#include <chrono>
#include <cstddef>
#include <exception>
#include <string>
#include <string_view>
#include <thread>
#include <variant>

#include <fcntl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "local_listener.hpp"
#include "log.hpp"
#include "summary.hpp"
#include "threads.hpp"

namespace dfcd {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace path = flowtap::path;

namespace {

constexpr std::size_t most_connections = 32;
constexpr std::uint32_t longest_header = 8192;
/// A request must have come within this, and an answer must have been taken.
constexpr std::chrono::seconds request_limit{5};
/// How long the control side may take to say what it has counted.
constexpr std::chrono::seconds control_limit{5};
/// After an answer: how long, and how many octets, the peer may still send.
constexpr std::chrono::seconds linger_limit{1};
constexpr std::size_t most_lingering = std::size_t{256} << 10;
/// After a connection could not be accepted, as for want of descriptors.
constexpr std::chrono::milliseconds accept_pause{100};

using reply = http::response<http::string_body>;

/// What all connections share.
struct shared_state {
    shared_state(const path::data_path& from, metrics_server::asked how)
        : packets(from), control(std::move(how)) {}

    const path::data_path& packets;
    const metrics_server::asked control;
    std::size_t connections = 0;
    /// Goes first, with the connections that wait in it.
    asio::io_context loop{1};
};

/// One thing that can be asked for.
struct page {
    std::string_view target;
    std::string_view type;
    std::string (*make)(const totals&);
};
constexpr page pages[] = {
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", metrics_text},
    {"/status", "text/plain; charset=utf-8", status_text},
    {"/status.json", "application/json", summary_json},
};

const page* find_page(std::string_view target) {
    target = target.substr(0, target.find('?'));
    for (const page& each : pages)
        if (each.target == target)
            return &each;
    return nullptr;
}

/// One connection: reads a request, asks the control side, answers, and ends.
template <class Protocol>
class connection final : public std::enable_shared_from_this<connection<Protocol>> {
public:
    connection(std::shared_ptr<shared_state> with, typename Protocol::socket accepted)
        : shared_(*with), weak_shared_(with), stream_(std::move(accepted)),
          patience_(shared_.loop) {
        ++shared_.connections;
    }
    ~connection() { --shared_.connections; }
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    void start() {
        request_.header_limit(longest_header);
        stream_.expires_after(request_limit);
        http::async_read(stream_, buffer_, request_,
                         [self = this->shared_from_this()](beast::error_code failed, std::size_t) {
                             self->on_request(failed);
                         });
    }

private:
    void on_request(beast::error_code failed) {
        if (failed == http::error::header_limit || failed == http::error::buffer_overflow)
            return refuse(http::status::request_header_fields_too_large);
        if (failed == http::error::end_of_stream || failed == http::error::partial_message)
            return;
        if (failed.category() == beast::error_code(http::error::bad_method).category())
            return refuse(http::status::bad_request);
        if (failed)
            return;
        const auto& request = request_.get();
        const bool is_read =
            request.method() == http::verb::get || request.method() == http::verb::head;
        wants_body_ = request.method() != http::verb::head;
        page_ = find_page({request.target().data(), request.target().size()});
        if (page_ == nullptr)
            return refuse(http::status::not_found);
        if (!is_read)
            return refuse(http::status::method_not_allowed);
        ask();
    }

    void ask() {
        stream_.expires_never();
        patience_.expires_after(control_limit);
        patience_.async_wait([self = this->shared_from_this()](beast::error_code cancelled) {
            if (!cancelled && !std::exchange(self->is_answered_, true))
                self->refuse(http::status::service_unavailable);
        });
        // The answer may come when the connection, or the server, is gone.
        shared_.control([weak = this->weak_from_this(),
                         server = weak_shared_](const control_counters& counted) {
            const auto alive = server.lock();
            if (alive == nullptr)
                return;
            asio::post(alive->loop, [weak, counted] {
                if (const auto self = weak.lock())
                    self->on_answer(counted);
            });
        });
    }

    void on_answer(const control_counters& counted) {
        patience_.cancel();
        if (!std::exchange(is_answered_, true))
            give(counted);
    }

    void give(const control_counters& counted) {
        reply_.result(http::status::ok);
        reply_.set(http::field::content_type, {page_->type.data(), page_->type.size()});
        reply_.body() = page_->make({shared_.packets.statistics(), counted});
        send();
    }

    void refuse(http::status why) {
        reply_.result(why);
        reply_.set(http::field::content_type, "text/plain; charset=utf-8");
        if (why == http::status::method_not_allowed)
            reply_.set(http::field::allow, "GET, HEAD");
        reply_.body() = std::string(http::obsolete_reason(why)) + '\n';
        send();
    }

    void send() {
        reply_.version(11);
        reply_.keep_alive(false);
        reply_.set(http::field::cache_control, "no-store");
        reply_.content_length(reply_.body().size());
        // The length stays that of the answer to a GET.
        if (!wants_body_)
            reply_.body().clear();
        stream_.expires_after(request_limit);
        http::async_write(stream_, reply_,
                          [self = this->shared_from_this()](beast::error_code failed, std::size_t) {
                              if (!failed)
                                  self->linger();
                          });
    }

    /// Closed at once, a connection with unread octets would be reset, and the answer lost.
    void linger() {
        beast::error_code ignored;
        stream_.socket().shutdown(Protocol::socket::shutdown_send, ignored);
        stream_.expires_after(linger_limit);
        read_on();
    }

    void read_on() {
        buffer_.clear();
        stream_.async_read_some(
            buffer_.prepare(longest_header),
            [self = this->shared_from_this()](beast::error_code failed, std::size_t octets) {
                self->lingered_ += octets;
                if (!failed && self->lingered_ < most_lingering)
                    self->read_on();
            });
    }

    shared_state& shared_;
    const std::weak_ptr<shared_state> weak_shared_;
    beast::basic_stream<Protocol> stream_;
    asio::steady_timer patience_;
    beast::flat_buffer buffer_{2 * longest_header};
    http::request_parser<http::empty_body> request_;
    reply reply_;
    const page* page_ = nullptr;
    bool wants_body_ = true;
    bool is_answered_ = false;
    std::size_t lingered_ = 0;
};

/// Accepts connections, as long as there are not too many.
template <class Protocol>
class listener {
public:
    explicit listener(std::shared_ptr<shared_state> with)
        : shared_(std::move(with)), acceptor_(shared_->loop), pause_(shared_->loop) {}

    typename Protocol::acceptor& acceptor() { return acceptor_; }

    void accept() {
        acceptor_.async_accept([this](beast::error_code failed, typename Protocol::socket made) {
            if (failed == asio::error::operation_aborted)
                return;
            if (failed)
                return try_later();
            // What is too many is closed at once.
            if (shared_->connections < most_connections)
                std::make_shared<connection<Protocol>>(shared_, std::move(made))->start();
            accept();
        });
    }

private:
    void try_later() {
        pause_.expires_after(accept_pause);
        pause_.async_wait([this](beast::error_code cancelled) {
            if (!cancelled)
                accept();
        });
    }

    std::shared_ptr<shared_state> shared_;
    typename Protocol::acceptor acceptor_;
    asio::steady_timer pause_;
};

using tcp = asio::ip::tcp;
using local = asio::local::stream_protocol;

/// The error of the operating system, with the place as its subject.
flowtap::unexpected<flowtap::error> failure_at(const std::string& place, beast::error_code what) {
    return flowtap::fail(
        flowtap::error(std::error_code(what.value(), std::system_category()), place));
}

flowtap::result<void> open_tcp(tcp::acceptor& into, const flowtap::endpoint& where,
                               flowtap::opener& via) {
    auto opened = via.stream_listener(where);
    if (!opened)
        return flowtap::fail(opened.error());
    beast::error_code failed;
    into.assign(where.address.ip_family() == flowtap::family::inet ? tcp::v4() : tcp::v6(),
                opened->number(), failed);
    if (failed)
        return failure_at(to_string(where), failed);
    static_cast<void>(opened->release()); // the acceptor's now
    return {};
}

} // namespace

struct metrics_server::implementation {
    implementation(const path::data_path& packets, asked control)
        : shared(std::make_shared<shared_state>(packets, std::move(control))) {}

    flowtap::result<void> open(const metrics_address& where, flowtap::opener& via) {
        if (const auto* at = std::get_if<flowtap::endpoint>(&where)) {
            by_tcp.emplace(shared);
            return open_tcp(by_tcp->acceptor(), *at, via);
        }
        auto made = local_listener::open(std::get<local_socket>(where).path, via);
        if (!made)
            return flowtap::fail(made.error());
        name.emplace(std::move(*made));
        by_name.emplace(shared);
        // Each closes a descriptor of its own.
        beast::error_code failed;
        by_name->acceptor().assign(local(), ::fcntl(name->number(), F_DUPFD_CLOEXEC, 0), failed);
        if (failed)
            return failure_at(to_string(where), failed);
        return {};
    }

    void run() {
        for (;;)
            try {
                shared->loop.run();
                return;
            } catch (const std::exception& problem) {
                log("serving metrics: {}", problem.what());
            }
    }

    std::shared_ptr<shared_state> shared;
    std::optional<local_listener> name;
    std::optional<listener<tcp>> by_tcp;
    std::optional<listener<local>> by_name;
    std::thread thread;
};

metrics_server::metrics_server(std::unique_ptr<implementation> with)
    : implementation_(std::move(with)) {}

metrics_server::~metrics_server() {
    implementation_->shared->loop.stop();
    if (implementation_->thread.joinable())
        implementation_->thread.join();
}

flowtap::result<std::unique_ptr<metrics_server>>
metrics_server::open(const metrics_address& where, const path::data_path& packets, asked control,
                     flowtap::opener& via) {
    auto made = std::make_unique<implementation>(packets, std::move(control));
    if (const auto opened = made->open(where, via); !opened)
        return flowtap::fail(opened.error());
    return std::unique_ptr<metrics_server>(new metrics_server(std::move(made)));
}

void metrics_server::start() {
    if (implementation_->by_tcp)
        implementation_->by_tcp->accept();
    else
        implementation_->by_name->accept();
    implementation_->thread = start_thread([this] { implementation_->run(); });
}

std::optional<flowtap::endpoint> metrics_server::endpoint() const {
    if (!implementation_->by_tcp)
        return std::nullopt;
    const tcp::endpoint at = implementation_->by_tcp->acceptor().local_endpoint();
    const auto address = flowtap::parse_ip_address(at.address().to_string());
    return flowtap::endpoint{*address, at.port()};
}

} // namespace dfcd
