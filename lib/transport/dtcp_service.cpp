// SPDX-License-Identifier: Apache-2.0
#include <flowtap/transport/dtcp_service.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>

#include <flowtap/permission/decide.hpp>

namespace flowtap::transport {

namespace {

class dtcp_channel;

/// Octets that are moved from the access point to a channel at a time.
constexpr std::size_t piece_size = 32UL * 1024;

/// What a service and its channels share, and what outlives the service while a channel is open.
struct runner : std::enable_shared_from_this<runner> {
    runner(event_loop& on, tap::access_point& served) : loop(on), point(&served), deadline(on) {}

    void request_turn();
    void turn();
    void do_effects();
    void operator()(const tap::output_ready& ready);
    void operator()(const tap::close_session& closing);
    void operator()(const tap::send_datagram& datagram);

    event_loop& loop;
    /// Null once the service has ended.
    tap::access_point* point;
    loop_timer deadline;
    std::unordered_map<tap::session_id, dtcp_channel*> channels;
    datagram_server* datagrams = nullptr;
    std::function<void()> turned;
    bool turn_requested = false;
    std::atomic<bool> woken = false;
    std::array<char, piece_size> room{};
};

/// One session of the access point on one channel.
class dtcp_channel final : public channel_handler {
public:
    dtcp_channel(std::shared_ptr<runner> service, tap::session_id session)
        : service_(std::move(service)), session_(session) {
        service_->channels.emplace(session_, this);
    }
    ~dtcp_channel() override { leave(); }

    void on_open(channel& with) override {
        channel_ = &with;
        if (diagnostic_)
            finish(*diagnostic_);
    }
    std::size_t on_data(byte_view octets) override;
    void on_end_of_data() override;
    void on_writable() override;
    void on_closed() override {
        channel_ = nullptr;
        leave();
    }

    void announce_output() {
        if (channel_ != nullptr)
            channel_->request_write();
    }

    /// Everything was read: the channel can end.
    void finish(const std::string& diagnostic);

private:
    void leave();

    std::shared_ptr<runner> service_;
    tap::session_id session_;
    channel* channel_ = nullptr;
    /// Why the session ended before the channel was open.
    std::optional<std::string> diagnostic_;
    bool input_left_ = false;
    bool left_ = false;
};

std::size_t dtcp_channel::on_data(byte_view octets) {
    if (left_ || service_->point == nullptr)
        return octets.size();
    const std::size_t taken = service_->point->feed(session_, octets, service_->loop.now());
    input_left_ = taken < octets.size();
    service_->request_turn();
    return taken;
}

void dtcp_channel::on_end_of_data() {
    if (left_ || service_->point == nullptr)
        return;
    service_->point->finish(session_);
    service_->request_turn();
}

void dtcp_channel::on_writable() {
    if (left_ || service_->point == nullptr)
        return;
    for (std::size_t room = channel_->room(); room > 0; room = channel_->room()) {
        const std::span<char> piece(service_->room.data(), std::min(room, service_->room.size()));
        const std::size_t count = service_->point->read(session_, piece, service_->loop.now());
        if (count == 0)
            break;
        channel_->write(std::string_view(piece.data(), count));
    }
    // Reading makes room for more requests.
    if (std::exchange(input_left_, false))
        channel_->request_data();
    service_->do_effects();
}

void dtcp_channel::finish(const std::string& diagnostic) {
    if (channel_ == nullptr) {
        diagnostic_ = diagnostic;
        return;
    }
    if (!diagnostic.empty())
        channel_->write_error(diagnostic + "\n");
    channel_->finish(diagnostic.empty() ? 0 : 1);
    leave();
}

void dtcp_channel::leave() {
    if (std::exchange(left_, true))
        return;
    service_->channels.erase(session_);
    if (service_->point != nullptr) {
        service_->point->close(session_, service_->loop.now());
        service_->request_turn();
    }
}

void runner::request_turn() {
    if (std::exchange(turn_requested, true))
        return;
    loop.post([self = shared_from_this()] { self->turn(); });
}

void runner::turn() {
    turn_requested = false;
    if (point == nullptr)
        return;
    point->turn(loop.now());
    do_effects();
    if (turned)
        turned();
    if (const auto due = point->deadline())
        deadline.call_at(*due, [self = weak_from_this()] {
            if (const auto alive = self.lock())
                alive->turn();
        });
    else
        deadline.cancel();
}

void runner::do_effects() {
    while (point != nullptr) {
        const auto next = point->next_effect();
        if (!next)
            return;
        std::visit(*this, *next);
    }
}

void runner::operator()(const tap::output_ready& ready) {
    if (const auto found = channels.find(ready.session); found != channels.end())
        found->second->announce_output();
}

void runner::operator()(const tap::close_session& closing) {
    if (const auto found = channels.find(closing.session); found != channels.end())
        found->second->finish(closing.diagnostic);
}

void runner::operator()(const tap::send_datagram& datagram) {
    if (datagrams != nullptr)
        datagrams->send(datagram.from, datagram.to, datagram.octets);
}

} // namespace

struct dtcp_service::implementation final : runner {
    using runner::runner;
};

dtcp_service::dtcp_service(event_loop& loop, tap::access_point& point)
    : implementation_(std::make_shared<implementation>(loop, point)) {}

dtcp_service::~dtcp_service() {
    const auto open = implementation_->channels;
    for (const auto& [session, one] : open)
        one->finish("");
    implementation_->deadline.cancel();
    implementation_->point = nullptr;
}

std::unique_ptr<channel_handler> dtcp_service::open(const channel_request& asked) {
    using permission::operation;
    using permission::target;
    if (!permission::allowed(asked.who, operation::use, target::flow_tap_service))
        return nullptr;
    const auto session =
        implementation_->point->open(asked.who, to_string(asked.peer), implementation_->loop.now());
    implementation_->request_turn();
    if (!session)
        return nullptr;
    return std::make_unique<dtcp_channel>(implementation_, *session);
}

void dtcp_service::request_turn() {
    implementation_->request_turn();
}

void dtcp_service::wake() {
    if (implementation_->woken.exchange(true))
        return;
    implementation_->loop.post([self = implementation_] {
        self->woken = false;
        self->request_turn();
    });
}

void dtcp_service::on_turn(std::function<void()> what) {
    implementation_->turned = std::move(what);
}

void dtcp_service::receive(const endpoint& from, const endpoint& at, byte_view octets) {
    if (implementation_->point == nullptr)
        return;
    implementation_->point->feed_datagram(from, at, octets, implementation_->loop.now());
    implementation_->request_turn();
}

void dtcp_service::send_through(datagram_server& server) {
    implementation_->datagrams = &server;
    server.on_room([self = implementation_, &server] {
        if (self->point == nullptr)
            return;
        self->point->hold_datagrams(server.is_full());
        self->request_turn();
    });
}

} // namespace flowtap::transport
