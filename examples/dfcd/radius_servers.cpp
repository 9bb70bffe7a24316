// SPDX-License-Identifier: Apache-2.0
#include "radius_servers.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

#include <flowtap/radius/client.hpp>

#include "log.hpp"
#include "radius_cryptography.hpp"

namespace dfcd {

namespace config = flowtap::config;
namespace radius = flowtap::radius;
namespace transport = flowtap::transport;

namespace {

/// What is left of an attempt's time when the servers have used theirs, for the next method.
constexpr std::chrono::seconds time_for_others{2};

constexpr std::size_t longest_password = 128;

radius::client_settings client_settings(const config::configuration& with) {
    radius::client_settings made;
    for (const config::radius_server& server : with.radius_servers)
        made.servers.push_back({{server.address, server.port},
                                radius::secret(server.secret),
                                server.timeout,
                                server.retry,
                                server.source_address});
    return made;
}

/// Whether it can be asked about at all (`radius::login_request`).
bool is_askable(std::string_view password) {
    return !password.empty() && password.size() <= longest_password &&
           password.find('\0') == std::string_view::npos;
}

transport::remote_answer answer_of(radius::login_outcome outcome) {
    if (auto* const yes = std::get_if<radius::login_accepted>(&outcome))
        return transport::remote_acceptance{std::move(yes->permissions),
                                            std::move(yes->local_user).value_or("")};
    if (const auto* const no = std::get_if<radius::login_rejected>(&outcome)) {
        log("RADIUS refused a login: {}", no->reason);
        return transport::remote_rejection{};
    }
    log("RADIUS gave no answer about a login: {}",
        std::get<radius::login_unavailable>(outcome).reason);
    return transport::remote_silence{};
}

/// One login that a thread waits for.
struct question {
    std::optional<radius::login_outcome> outcome;
};

} // namespace

struct radius_servers::implementation {
    implementation(transport::event_loop& on, std::unique_ptr<radius::client> with,
                   std::string_view name)
        : loop(on), client(std::move(with)), reserved(name) {}

    transport::event_loop& loop;
    /// Goes on the loop's thread.
    std::unique_ptr<radius::client> client;
    const std::string reserved;
    std::mutex mutex;
    std::condition_variable changed;
    bool is_stopped = false;
};

flowtap::result<void> check_radius(const config::configuration&) {
    return {};
}

flowtap::result<std::shared_ptr<radius_servers>>
radius_servers::open(transport::event_loop& loop, const config::configuration& with,
                     std::string_view reserved) {
    if (!asks_radius(with))
        return std::shared_ptr<radius_servers>();
    auto client =
        radius::client::create(loop.context(), client_settings(with), radius_cryptography(),
                               [](const std::string& line) { log("{}", line); });
    if (!client)
        return flowtap::fail(client.error());
    return std::shared_ptr<radius_servers>(
        new radius_servers(std::make_shared<implementation>(loop, std::move(*client), reserved)));
}

radius_servers::radius_servers(std::shared_ptr<implementation> with)
    : implementation_(std::move(with)) {}

radius_servers::~radius_servers() {
    transport::event_loop& loop = implementation_->loop;
    loop.post([last = std::move(implementation_)] {});
}

transport::remote_answer radius_servers::ask(const transport::login_attempt& attempt,
                                             std::string_view password) {
    if (!is_askable(password) || attempt.user == implementation_->reserved)
        return transport::remote_rejection{};
    const auto asked = std::make_shared<question>();
    // The client stays until it has answered, whatever becomes of who waits.
    std::unique_lock lock(implementation_->mutex);
    if (implementation_->is_stopped)
        return transport::remote_silence{};
    implementation_->client->log_in({attempt.user, radius::secret(password),
                                     to_string(attempt.peer.address),
                                     attempt.deadline - time_for_others},
                                    [with = implementation_, asked](radius::login_outcome outcome) {
                                        const std::lock_guard held(with->mutex);
                                        asked->outcome = std::move(outcome);
                                        with->changed.notify_all();
                                    });
    implementation_->changed.wait_until(
        lock, attempt.deadline, [&] { return asked->outcome || implementation_->is_stopped; });
    if (!asked->outcome)
        return transport::remote_silence{};
    radius::login_outcome outcome = std::move(*asked->outcome);
    lock.unlock();
    return answer_of(std::move(outcome));
}

void radius_servers::stop() {
    std::unique_ptr<radius::client> last;
    const std::lock_guard lock(implementation_->mutex);
    implementation_->is_stopped = true;
    last = std::move(implementation_->client);
    implementation_->changed.notify_all();
}

} // namespace dfcd
