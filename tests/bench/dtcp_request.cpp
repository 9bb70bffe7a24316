// SPDX-License-Identifier: Apache-2.0
//
// What a request costs beside the two HMACs that it needs: the ADD of a FlowTapLite client with all
// X-JTap parameters, 19 lines with Seq and Authentication-Info. It is framed, parsed, verified,
// applied, published, answered and signed by an access point without workers and with an audit log
// that stores nothing, alone or beside the criteria of another control source. The HMACs are those
// of the same octets, with contexts that are made once and rewound, measured in turn with the
// requests.
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include <flowtap/core/clock.hpp>
#include <flowtap/crypto/hmac.hpp>
#include <flowtap/dtcp/authentication.hpp>
#include <flowtap/dtcp/envelope.hpp>
#include <flowtap/dtcp/framer.hpp>
#include <flowtap/dtcp/parser.hpp>
#include <flowtap/dtcp/writer.hpp>
#include <flowtap/path/data_path.hpp>
#include <flowtap/permission/principal.hpp>
#include <flowtap/tap/access_point.hpp>

namespace {

using namespace flowtap;

using hmac = crypto::keyed_hash_as<dtcp::keyed_hash>;

constexpr std::string_view key = "Juniper";
constexpr time_stamp now{steady_time(std::chrono::seconds(1000)),
                         wall_time(std::chrono::seconds(1'297'612'609))};

[[noreturn]] void give_up(const char* why) {
    std::fprintf(stderr, "%s\n", why);
    std::exit(1);
}

/// The lines of the ADD before Seq.
constexpr std::string_view add_lines =
    "ADD DTCP/0.8\r\n"
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
    "Flags: STATIC\r\n";

std::string signed_request(std::string text, std::size_t seq, dtcp::keyed_hash& hash) {
    text += "Seq: " + std::to_string(seq) + "\r\n";
    text += "Authentication-Info: " + dtcp::sign(text, hash) + "\r\n\r\n";
    return text;
}

/// What one message's HMAC is about.
std::string_view signed_part(std::string_view message) {
    return message.substr(0, dtcp::parse_envelope(message)->signed_octets.size());
}

class silent_audit final : public tap::audit_log {
public:
    result<void> write(const tap::audit_record& record) override {
        benchmark::DoNotOptimize(&record);
        return {};
    }
};

/// The filter of one of the criteria that are in place: hosts, pairs, ports, prefixes.
std::string filter_in_place(std::size_t index) {
    const std::string host = "10." + std::to_string(index >> 16U & 255U) + "." +
                             std::to_string(index >> 8U & 255U) + "." +
                             std::to_string(index & 255U);
    switch (index % 5) {
    case 0:
    case 1:
        return "Dest-Address: " + host + "\r\n";
    case 2:
        return "Source-Address: " + host + "\r\n";
    case 3:
        return "Source-Address: " + host + "\r\nDest-Address: 172.16.0.1\r\n";
    default:
        return "Dest-Address: " + host + "/28\r\nProtocol: 6\r\nDest-Port: 443\r\n";
    }
}

/// An access point with one session, and `in_place` criteria of another control source. What takes
/// long is done at once and where nobody measures, as another thread would.
class server {
public:
    explicit server(std::size_t in_place = 0)
        : point_(settings(), {path_, audit_, make_hash}), room_(256UL * 1024) {
        const tap::session_id other = open("other");
        hmac hash(key);
        for (std::size_t i = 0; i < in_place; ++i) {
            const std::string request = signed_request(
                "ADD DTCP/0.8\r\nCsource-ID: other\r\nCdest-ID: cd1\r\n" + filter_in_place(i) +
                    "X-JTap-Cdest-Dest-Address: 192.0.2.6\r\n"
                    "X-JTap-Cdest-Dest-Port: 2300\r\n"
                    "X-JTap-Cdest-Source-Address: 198.51.100.9\r\n"
                    "X-JTap-Cdest-Source-Port: 65535\r\n"
                    "Flags: STATIC\r\n",
                i + 1, hash);
            point_.feed(other, as_byte_view(request), now);
            if (i % 128 == 127 || i + 1 == in_place) {
                turn();
                point_.read(other, room_, now);
            }
        }
        if (point_.state().criteria != in_place)
            give_up("not all criteria are in place");
        session_ = open("ftap");
    }

    void feed(std::string_view octets) {
        if (point_.feed(session_, as_byte_view(octets), now) != octets.size())
            give_up("the requests are too many for one turn");
    }
    void turn() {
        point_.turn(now);
        while (auto next = point_.next_effect())
            benchmark::DoNotOptimize(next);
    }
    std::string_view read() {
        const std::size_t count = point_.read(session_, room_, now);
        return {room_.data(), count};
    }
    /// Takes back all that was added.
    void clean() {
        feed(remove_);
        turn();
        read();
    }

private:
    static std::unique_ptr<dtcp::keyed_hash> make_hash(std::string_view with) {
        return std::make_unique<hmac>(with);
    }
    tap::session_id open(const char* login) {
        permission::principal who;
        who.name = login;
        who.permissions = {permission::bit::flow_tap_operation};
        return point_.open(who, "198.51.100.7:50000", now).value();
    }
    static tap::settings settings() {
        tap::settings with;
        with.criteria_limit = 130'000;
        with.families.insert(family::inet6);
        with.interfaces = {{"ge-2/0/1.0", "", port_id{0}, std::nullopt}};
        return with;
    }
    static std::string remove_all() {
        hmac hash(key);
        return signed_request("DELETE DTCP/0.8\r\nCsource-ID: ftap\r\nCriteria-ID: *\r\n"
                              "Flags: STATIC\r\n",
                              1, hash);
    }

    path::data_path path_;
    silent_audit audit_;
    tap::access_point point_;
    tap::session_id session_;
    std::vector<char> room_;
    std::string remove_ = remove_all();
};

/// So many requests, one after the other, and what is signed of them and of their answers.
struct workload {
    explicit workload(std::size_t count) {
        hmac hash(key);
        for (std::size_t i = 1; i <= count; ++i)
            requests.push_back(signed_request(std::string(add_lines), i, hash));
        for (const std::string& request : requests)
            stream += request;
        server served;
        served.feed(stream);
        served.turn();
        dtcp::framer framer;
        const std::string_view answered = served.read();
        for (byte_view rest = as_byte_view(answered); !rest.empty();) {
            rest = rest.subspan(framer.put(rest).value());
            if (framer.complete())
                answers.emplace_back(framer.message());
        }
        check();
    }

    /// Each answer is a 200 with the signature that it should have.
    void check() const {
        hmac hash(key);
        if (answers.size() != requests.size())
            give_up("there is not one answer to each request");
        for (const std::string& answer : answers) {
            if (!answer.starts_with("DTCP/0.8 200 OK\r\n") ||
                answer.find("\r\nCRITERIA-ID: ") == std::string::npos ||
                !dtcp::verify(dtcp::parse_envelope(answer).value(), hash))
                give_up(answer.c_str());
        }
    }

    std::vector<std::string> requests;
    std::vector<std::string> answers;
    std::string stream;
};

/// The HMACs that the requests and the answers need, and nothing else.
void compute_hmacs(const std::vector<std::string_view>& texts, dtcp::keyed_hash& hash) {
    for (const std::string_view text : texts) {
        hash.reset();
        hash.update(as_byte_view(text));
        benchmark::DoNotOptimize(hash.finish());
    }
}

/// Seconds that this thread has worked: what else runs on the machine does not count.
double worked() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// `range(0)` requests in one turn, with `range(1)` criteria in place.
void whole_request(benchmark::State& state) {
    const auto count = static_cast<std::size_t>(state.range(0));
    const workload load(count);
    std::vector<std::string_view> texts;
    for (std::size_t i = 0; i < count; ++i) {
        texts.push_back(signed_part(load.requests[i]));
        texts.push_back(signed_part(load.answers[i]));
    }
    hmac hash(key);
    server served(static_cast<std::size_t>(state.range(1)));
    double fed = 0;
    double turned = 0;
    double read = 0;
    double hmacs = 0;
    for (auto _ : state) {
        const double begin = worked();
        served.feed(load.stream);
        const double until_turn = worked() - begin;
        served.turn();
        const double until_read = worked() - begin;
        const std::string_view answers = served.read();
        const double until_end = worked() - begin;
        benchmark::DoNotOptimize(answers.data());
        served.clean();

        const double begin_hmacs = worked();
        compute_hmacs(texts, hash);
        hmacs += worked() - begin_hmacs;
        fed += until_turn;
        turned += until_read - until_turn;
        read += until_end - until_read;
        state.SetIterationTime(until_end / static_cast<double>(count));
    }
    const double whole = fed + turned + read;
    const double requests =
        static_cast<double>(state.iterations()) * static_cast<double>(count) / 1e9;
    state.counters["feed"] = fed / requests;
    state.counters["turn"] = turned / requests;
    state.counters["read"] = read / requests;
    state.counters["hmacs"] = hmacs / requests;
    state.counters["ratio"] = whole / hmacs;
    state.counters["ratio_without_turn"] = (whole - turned) / hmacs;
}
BENCHMARK(whole_request)
    ->ArgNames({"requests", "in_place"})
    ->Args({1, 0})
    ->Args({64, 0})
    ->Args({1, 100})
    ->Args({1, 3000})
    ->Args({64, 3000})
    ->Args({1, 100'000})
    ->UseManualTime();

// The parts, each for one request.

void frame(benchmark::State& state) {
    const workload load(1);
    dtcp::framer framer;
    for (auto _ : state) {
        benchmark::DoNotOptimize(framer.put(as_byte_view(load.stream)));
        if (!framer.complete())
            give_up("the request is not whole");
    }
}
BENCHMARK(frame);

void split(benchmark::State& state) {
    const workload load(1);
    dtcp::envelope parts;
    for (auto _ : state) {
        if (!dtcp::parse_envelope(load.stream, parts))
            give_up("the request is not whole");
        benchmark::DoNotOptimize(parts.lines.data());
    }
}
BENCHMARK(split);

void verify(benchmark::State& state) {
    const workload load(1);
    const auto message = dtcp::parse_envelope(load.stream).value();
    hmac hash(key);
    for (auto _ : state)
        benchmark::DoNotOptimize(dtcp::verify(message, hash));
}
BENCHMARK(verify);

void parse(benchmark::State& state) {
    const workload load(1);
    const auto message = dtcp::parse_envelope(load.stream).value();
    const dtcp::parse_options options{.port_lists = port_list_mode::pairs};
    if (!dtcp::parse_request(message, options))
        give_up("the request is not valid");
    for (auto _ : state)
        benchmark::DoNotOptimize(dtcp::parse_request(message, options));
}
BENCHMARK(parse);

void answer(benchmark::State& state) {
    hmac hash(key);
    dtcp::response message;
    message.seq = sequence_number(1);
    message.criterion = 1;
    message.timestamp = now.wall;
    std::string out;
    for (auto _ : state) {
        out.clear();
        dtcp::write_response(out, message, hash);
        benchmark::DoNotOptimize(out.data());
    }
}
BENCHMARK(answer);

} // namespace

BENCHMARK_MAIN();
