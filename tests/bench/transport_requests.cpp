// SPDX-License-Identifier: Apache-2.0
//
// DTCP requests over SSH. First the requests a second of one session that sends them without
// waiting, beside a subsystem of the same server that sends the same octets back. Then how long a
// NOOP takes while 250 sessions are open, 200 of them idle and 50 busy. Client and server are
// threads of one process, each with a core of its own. Any argument makes it brief.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <poll.h>
#include <pthread.h>

#include <flowtap/crypto/hmac.hpp>
#include <flowtap/dtcp/authentication.hpp>
#include <flowtap/dtcp/envelope.hpp>
#include <flowtap/dtcp/framer.hpp>
#include <flowtap/path/data_path.hpp>
#include <flowtap/tap/access_point.hpp>
#include <flowtap/transport/authenticator.hpp>
#include <flowtap/transport/channel_router.hpp>
#include <flowtap/transport/dtcp_service.hpp>
#include <flowtap/transport/event_loop.hpp>
#include <flowtap/transport/ssh_client.hpp>
#include <flowtap/transport/ssh_server.hpp>

namespace {

using namespace flowtap;
using namespace flowtap::transport;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

using hmac = crypto::keyed_hash_as<dtcp::keyed_hash>;

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(1);
}

class silent_audit final : public tap::audit_log {
public:
    result<void> write(const tap::audit_record& /*record*/) override { return {}; }
};

/// Lets everybody in, to tap.
class open_door final : public authenticator {
public:
    std::optional<permission::principal> check_password(const login_attempt& attempt,
                                                        std::string_view /*password*/) override {
        permission::principal who;
        who.name = attempt.user;
        who.permissions = {permission::bit::flow_tap_operation};
        return who;
    }
    bool accepts_key(const login_attempt& /*attempt*/,
                     const permission::public_key& /*key*/) override {
        return false;
    }
    std::optional<permission::principal> check_key(const login_attempt& /*attempt*/,
                                                   const permission::public_key& /*key*/) override {
        return std::nullopt;
    }
};

/// Sends back what it gets.
class echo_handler final : public channel_handler {
public:
    void on_open(channel& with) override { channel_ = &with; }
    std::size_t on_data(byte_view octets) override {
        const void* const raw = octets.data();
        return channel_->write({static_cast<const char*>(raw), octets.size()});
    }
    void on_end_of_data() override { channel_->finish(0); }
    void on_writable() override { channel_->request_data(); }
    void on_closed() override { channel_ = nullptr; }

private:
    channel* channel_ = nullptr;
};

/// The calling thread on the core of that number, if there is one.
void stay_on(int core) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    ::pthread_setaffinity_np(::pthread_self(), sizeof cores, &cores);
}

/// An access point behind SSH, on a thread of its own.
class server {
public:
    server()
        : point_(settings(),
                 {path_, audit_, [](std::string_view key) { return std::make_unique<hmac>(key); }}),
          service_(loop_, point_) {
        path_.on_news([this] { service_.wake(); });
        router_.serve(request_kind::subsystem, std::string(dtcp_subsystem),
                      [this](const channel_request& asked) { return service_.open(asked); });
        router_.serve(request_kind::subsystem, "echo",
                      [](const channel_request&) { return std::make_unique<echo_handler>(); });
        std::string name = (std::filesystem::temp_directory_path() / "flowtap-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr)
            give_up("there is no place for a host key");
        directory_ = name;
        ssh_server_options options;
        options.listen = {{ip_address::v4(0x7F000001), 0}};
        options.host_key = directory_ / "host_key";
        options.connection_limit = 1000;
        options.rate_limit = 100'000;
        auto made = ssh_server::listen(loop_, options, users_, router_);
        if (!made)
            give_up(made.error().message());
        server_ = std::move(*made);
        client_.host = "127.0.0.1";
        client_.port = server_->addresses().at(0).port;
        client_.user = "ftap";
        client_.host_key_fingerprint = server_->fingerprint();
        client_.identities = {directory_ / "none"};
        client_.password = [] { return std::string("any"); };
        thread_ = std::thread([this] {
            stay_on(0);
            loop_.run();
        });
        if (::pthread_getcpuclockid(thread_.native_handle(), &clock_) != 0)
            give_up("the thread has no clock");
    }
    ~server() {
        loop_.stop();
        thread_.join();
        server_->stop();
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    ssh_client connect(std::string_view subsystem) const {
        auto made = ssh_client::connect(client_, subsystem);
        if (!made)
            give_up(made.error().message());
        return std::move(*made);
    }

    /// Seconds that the loop's thread has worked.
    double worked() const {
        timespec time{};
        ::clock_gettime(clock_, &time);
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
    }

private:
    static tap::settings settings() {
        tap::settings with;
        with.families.insert(family::inet6);
        with.interfaces = {{"ge-2/0/1.0", "", port_id{0}, std::nullopt}};
        return with;
    }

    event_loop loop_;
    path::data_path path_;
    silent_audit audit_;
    tap::access_point point_;
    dtcp_service service_;
    channel_router router_;
    open_door users_;
    std::filesystem::path directory_;
    std::unique_ptr<ssh_server> server_;
    ssh_client_options client_;
    std::thread thread_;
    clockid_t clock_{};
};

std::string signed_request(std::string text) {
    hmac hash("Juniper");
    text += "Seq: 1\r\n";
    text += "Authentication-Info: " + dtcp::sign(text, hash) + "\r\n\r\n";
    return text;
}

std::string noop() {
    return signed_request("NOOP DTCP/0.8\r\nCsource-ID: ftap\r\n");
}

/// 63 ADD, and a DELETE of what they added.
std::vector<std::string> adds() {
    const std::string add =
        signed_request("ADD DTCP/0.8\r\n"
                       "Csource-ID: ftap\r\n"
                       "Cdest-ID: cd1\r\n"
                       "Source-Address: 2001:db8:abcd:ef12:3456:78ab:abc8:1235/112\r\n"
                       "Dest-Address: 2001:db8:affe::1:1\r\n"
                       "Source-Port: 1234\r\n"
                       "Dest-Port: 2345\r\n"
                       "Protocol: *\r\n"
                       "Priority: 2\r\n"
                       "X-JTap-Input-Interface: ge-2/0/1\r\n"
                       "X-JTap-Cdest-Dest-Address: 192.0.2.5\r\n"
                       "X-JTap-Cdest-Dest-Port: 2300\r\n"
                       "X-JTap-Cdest-Source-Address: 198.51.100.9\r\n"
                       "X-JTap-Cdest-Source-Port: 65535\r\n"
                       "X-JTap-Cdest-TTL: 255\r\n"
                       "X-JTap-IP-Version: ipv6\r\n"
                       "Flags: STATIC\r\n");
    std::vector<std::string> messages(63, add);
    messages.push_back(signed_request("DELETE DTCP/0.8\r\nCsource-ID: ftap\r\nCriteria-ID: *\r\n"
                                      "Flags: STATIC\r\n"));
    return messages;
}

/// All of `messages` as one, which goes out in as few packets as SSH allows.
std::vector<std::string> packed(const std::vector<std::string>& messages) {
    std::string all;
    for (const std::string& one : messages)
        all += one;
    return {all};
}

double seconds_since(steady::time_point begin) {
    return std::chrono::duration<double>(steady::now() - begin).count();
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

double percentile(std::vector<double>& values, double part) {
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(static_cast<double>(values.size() - 1) * part)];
}

/// What one run over a session took, for each message.
struct cost {
    double elapsed = 0;
    double worked = 0;
};

/// Hands each whole message of what comes to it to `check`, and counts.
class receiver {
public:
    std::size_t messages = 0;

    void take(std::string_view octets, void (*check)(std::string_view)) {
        for (byte_view rest = as_byte_view(octets); !rest.empty();) {
            rest = rest.subspan(framer_.put(rest).value());
            if (!framer_.complete())
                continue;
            ++messages;
            if (check != nullptr)
                check(framer_.message());
        }
    }

private:
    dtcp::framer framer_;
};

/// Sends `texts`, one after the other and `times` over, each as a packet of its own unless it is
/// longer than one, and reads until so many messages came back.
cost exchange(const server& on, ssh_client& session, const std::vector<std::string>& texts,
              std::size_t times, std::size_t messages, void (*check)(std::string_view)) {
    static std::array<char, 64UL * 1024> room;
    receiver answers;
    const double worked = on.worked();
    const auto begin = steady::now();
    std::string_view out;
    std::size_t next = 0;
    while (answers.messages < messages * times) {
        if (out.empty() && next < texts.size() * times)
            out = texts[next++ % texts.size()];
        const auto done = session.exchange(out, room, 60s);
        if (!done)
            give_up(done.error().message());
        if (done->ended)
            give_up("the session ended: " + session.diagnostic());
        out.remove_prefix(done->sent);
        answers.take({room.data(), done->received}, check);
    }
    const auto count = static_cast<double>(messages * times);
    return {seconds_since(begin) / count, (on.worked() - worked) / count};
}

void check_answer(std::string_view message) {
    hmac hash("Juniper");
    if (!message.starts_with("DTCP/0.8 200 OK\r\n") ||
        !dtcp::verify(dtcp::parse_envelope(message).value(), hash))
        give_up("no good answer: " + std::string(message));
}

void compare_with_echo(const server& on, const char* name, const std::vector<std::string>& texts,
                       bool brief) {
    constexpr std::size_t messages = 64;
    ssh_client requests = on.connect(dtcp_subsystem);
    ssh_client echo = on.connect("echo");
    exchange(on, requests, texts, 2, messages, check_answer);
    exchange(on, echo, texts, 2, messages, nullptr);
    const std::size_t times = (brief ? 640 : 64'000) / messages;
    std::vector<double> elapsed;
    std::vector<double> worked;
    std::vector<double> echo_elapsed;
    std::vector<double> echo_worked;
    std::vector<double> ratios;
    for (int round = 0; round < (brief ? 1 : 5); ++round) {
        const cost asked = exchange(on, requests, texts, times, messages, nullptr);
        const cost echoed = exchange(on, echo, texts, times, messages, nullptr);
        elapsed.push_back(asked.elapsed);
        worked.push_back(asked.worked);
        echo_elapsed.push_back(echoed.elapsed);
        echo_worked.push_back(echoed.worked);
        ratios.push_back(echoed.elapsed / asked.elapsed);
    }
    std::printf("%s: %.0f requests/s, the echo %.0f/s: %.0f %%; the server works %.1f us for one, "
                "the echo %.1f us: %.0f %%\n",
                name, 1 / median(elapsed), 1 / median(echo_elapsed), 100 * median(ratios),
                1e6 * median(worked), 1e6 * median(echo_worked),
                100 * median(echo_worked) / median(worked));
}

/// A session with requests under way.
struct busy_session {
    explicit busy_session(ssh_client with) : session(std::move(with)) {}

    ssh_client session;
    dtcp::framer answers;
    /// What is to be sent still.
    std::string out;
    /// When each request that is under way was sent.
    std::vector<steady::time_point> sent;
};

/// Reads what there is, and for each answer sends another request. Adds how long each took.
void advance(busy_session& one, const std::string& request, std::vector<double>* times) {
    static std::array<char, 64UL * 1024> room;
    for (;;) {
        const auto done = one.session.exchange(one.out, room, 0ms);
        if (!done)
            return;
        if (done->ended)
            give_up("a session ended: " + one.session.diagnostic());
        one.out.erase(0, done->sent);
        byte_view octets = as_byte_view(std::string_view(room.data(), done->received));
        while (!octets.empty()) {
            octets = octets.subspan(one.answers.put(octets).value());
            if (!one.answers.complete())
                continue;
            if (times != nullptr)
                times->push_back(seconds_since(one.sent.front()));
            one.sent.erase(one.sent.begin());
            one.sent.push_back(steady::now());
            one.out += request;
        }
    }
}

/// `depth` requests under way on each of 50 sessions, one on another session that is timed, too.
void measure_delay(const server& on, std::size_t depth, double seconds) {
    const std::string request = noop();
    std::vector<std::unique_ptr<busy_session>> sessions;
    for (int count = 0; count < 51; ++count) {
        sessions.push_back(std::make_unique<busy_session>(on.connect(dtcp_subsystem)));
        for (std::size_t under_way = 0; under_way < (count == 50 ? 1 : depth); ++under_way) {
            sessions.back()->out += request;
            sessions.back()->sent.push_back(steady::now());
        }
    }
    std::vector<double> busy;
    std::vector<double> alone;
    std::vector<pollfd> descriptors;
    for (const auto& one : sessions)
        descriptors.push_back({one->session.descriptor(), POLLIN, 0});
    for (const auto& one : sessions)
        advance(*one, request, nullptr);
    const auto begin = steady::now();
    while (seconds_since(begin) < seconds) {
        if (::poll(descriptors.data(), descriptors.size(), 1000) <= 0)
            give_up("no session has an answer");
        for (std::size_t index = 0; index < sessions.size(); ++index)
            if (descriptors[index].revents != 0)
                advance(*sessions[index], request, index == 50 ? &alone : &busy);
    }
    const double rate = static_cast<double>(busy.size()) / seconds_since(begin);
    const double median_alone = percentile(alone, 0.5);
    std::printf("250 sessions, 50 of them with %zu NOOPs under way (%.0f requests/s): a NOOP of "
                "another one takes %.2f ms, 99th percentile %.2f ms; one of theirs %.2f and %.2f "
                "ms\n",
                depth, rate, 1e3 * median_alone, 1e3 * percentile(alone, 0.99),
                1e3 * percentile(busy, 0.5), 1e3 * percentile(busy, 0.99));
}

} // namespace

int main(int count, char** /*arguments*/) {
    const bool brief = count > 1;
    const server on;
    stay_on(1);
    const std::vector<std::string> noops(64, noop());
    compare_with_echo(on, "NOOP, one a packet", noops, brief);
    compare_with_echo(on, "NOOP, many a packet", packed(noops), brief);
    compare_with_echo(on, "ADD and DELETE, one a packet", adds(), brief);
    compare_with_echo(on, "ADD and DELETE, many a packet", packed(adds()), brief);

    std::vector<ssh_client> idle;
    while (idle.size() < (brief ? 10 : 199))
        idle.push_back(on.connect(dtcp_subsystem));
    for (const std::size_t depth : {1, 16})
        measure_delay(on, depth, brief ? 0.05 : 5);
    return 0;
}
