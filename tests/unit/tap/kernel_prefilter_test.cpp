// SPDX-License-Identifier: Apache-2.0
// Programs in front of the capture sockets: whatever comes and goes, no packet is kept away that a
// criterion in force matches.
#include <algorithm>
#include <deque>
#include <map>
#include <random>

#include <doctest/doctest.h>
#include <pcap/pcap.h>

#include "rig.hpp"
#include "traffic.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

namespace {

using work = std::function<void()>;

/// Whether `program` passes a raw IP packet, as libpcap runs it.
bool passes(const bpf_code& program, byte_view packet) {
    std::vector<bpf_insn> code;
    for (const bpf_instruction& each : program)
        code.push_back({each.code, each.jump_true, each.jump_false, each.operand});
    REQUIRE(bpf_validate(code.data(), static_cast<int>(code.size())) != 0);
    const void* const octets = packet.data();
    const auto size = static_cast<unsigned>(packet.size());
    return bpf_filter(code.data(), static_cast<const unsigned char*>(octets), size, size) != 0;
}

/// Sockets of ports 0 and 1, with raw IP packets that come in.
class test_filters final : public tap::kernel_filters {
public:
    test_filters() {
        for (const std::uint32_t port : {0U, 1U})
            programs[port_id(port)] = filter::pass_everything();
    }

    std::vector<tap::filterable_port> ports() const override {
        std::vector<tap::filterable_port> all;
        for (const auto& [port, program] : programs)
            all.push_back(
                {port, filter::frame_layout::raw_ip, filter::way_of_frames::ingress, longest});
        return all;
    }
    result<void> install(port_id port, const bpf_code& program) override {
        if (refuses && program.size() > 1) {
            programs[port] = filter::pass_everything();
            return unexpected<error>(error(std::make_error_code(std::errc::not_enough_memory)));
        }
        if (on_install)
            on_install();
        programs[port] = program;
        ++installed;
        if (on_install)
            on_install();
        return {};
    }

    std::map<port_id, bpf_code> programs;
    std::size_t longest = longest_bpf_program;
    std::size_t installed = 0;
    bool refuses = false;
    /// Called before and after each program takes its place.
    std::function<void()> on_install;
};

struct manual_executor {
    std::function<void(work)> taker() {
        return [this](work what) { waiting.push_back(std::move(what)); };
    }
    void run_all() {
        while (!waiting.empty()) {
            waiting.front()();
            waiting.pop_front();
        }
    }
    std::deque<work> waiting;
};

/// What the kernel's programs need before the access point that uses them.
struct programs {
    test_filters kernel;
    manual_executor elsewhere;
};

/// A control source that adds criteria and deletes them, each in a turn of its own, in front of a
/// worker that gets only what the kernel lets pass.
struct kernel_rig : programs, rig {
    kernel_rig()
        : rig(roomy(), nullptr, elsewhere.taker(), &kernel), on(path), session(open("lea1")) {
        point.turn(now);
        settle();
    }

    static tap::settings roomy() {
        tap::settings with = usual_settings();
        with.criteria_limit = 10'000;
        return with;
    }
    int add_filter(std::string_view lines, std::string_view rest = "Flags: STATIC\n") {
        const std::string answer = ask(session, "lea1", add(lines, rest));
        REQUIRE(status_of_answer(answer) == 200);
        return ++last;
    }
    int add_for(int to) { return add_filter("Dest-Address: 10.0.0." + std::to_string(to) + "\n"); }
    void remove(int id) {
        const std::string answer =
            ask(session, "lea1",
                "DELETE DTCP/0.7\nFlags: STATIC\nCriteria-ID: " + std::to_string(id) + "\n");
        REQUIRE(value_of(answer, "CRITERIA-COUNT") == "1");
    }
    /// Has done what there is to do.
    void settle() {
        for (int i = 0; i < 3; ++i) {
            pass(200ms);
            elsewhere.run_all();
            turn();
        }
    }
    bool kernel_passes(byte_view packet, std::uint32_t port = 0) {
        return passes(kernel.programs[port_id(port)], packet);
    }
    /// Copies that come out for a packet that must come past the kernel.
    std::size_t copies(const std::vector<std::byte>& packet) {
        return kernel_passes(packet, on.source->port.value()) ? on.pass(packet) : 0;
    }
    bool has_something_due() const { return point.deadline() && *point.deadline() <= now.steady; }
    tap::kernel_filter_state state(std::size_t of = 0) const {
        return point.kernel_filter_states()[of].state;
    }

    wire on;
    tap::session_id session;
    int last = 0;
};

} // namespace

TEST_CASE("without criteria everything is kept away, once a program is made") {
    kernel_rig at;
    CHECK(at.state() == tap::kernel_filter_state::in_place);
    CHECK_FALSE(at.kernel_passes(udp_packet(1)));
    CHECK_FALSE(at.kernel_passes(udp_packet(1), 1));
    CHECK_FALSE(at.has_something_due());
}

TEST_CASE("an ADD widens the program before its answer, and what comes after makes it tight") {
    kernel_rig at;
    const std::size_t tight = at.point.kernel_filter_states()[0].instructions;
    at.add_for(7);
    CHECK(at.kernel_passes(udp_packet(7)));
    CHECK_FALSE(at.kernel_passes(udp_packet(8)));
    CHECK(at.point.kernel_filter_states()[0].instructions > tight);
    CHECK(at.copies(udp_packet(7)) == 1);
    at.settle();
    CHECK(at.kernel_passes(udp_packet(7)));
    CHECK_FALSE(at.kernel_passes(udp_packet(8)));
    CHECK_FALSE(at.has_something_due());
}

TEST_CASE("a DELETE leaves the program as it is, until one is made without the criterion") {
    kernel_rig at;
    const int gone = at.add_for(7);
    at.add_for(8);
    at.settle();
    const std::size_t before = at.kernel.installed;
    at.remove(gone);
    CHECK(at.kernel.installed == before);
    CHECK(at.kernel_passes(udp_packet(7)));
    at.settle();
    CHECK_FALSE(at.kernel_passes(udp_packet(7)));
    CHECK(at.kernel_passes(udp_packet(8)));
}

TEST_CASE("programs are made at most ten times a second") {
    kernel_rig at;
    at.add_for(1);
    REQUIRE(at.elsewhere.waiting.size() >= 1);
    at.elsewhere.run_all();
    at.turn();
    const std::size_t tight = at.point.kernel_filter_states()[0].instructions;
    at.add_for(2);
    CHECK(at.kernel_passes(udp_packet(2)));
    at.elsewhere.run_all();
    at.turn();
    CHECK(at.point.kernel_filter_states()[0].instructions > tight + 2);
    REQUIRE(at.point.deadline().has_value());
    CHECK(*at.point.deadline() - at.now.steady <= 100ms);
    at.settle();
    CHECK(at.point.kernel_filter_states()[0].instructions <= tight + 2);
}

TEST_CASE("a criterion concerns the ports of its interfaces only") {
    kernel_rig at;
    at.add_filter("X-JTap-Input-Interface: ge-0/0/1.0\nDest-Address: 10.0.0.7\n");
    CHECK_FALSE(at.kernel_passes(udp_packet(7), 0));
    CHECK(at.kernel_passes(udp_packet(7), 1));
    at.add_filter("X-JTap-VRF-Name: cust-a\nDest-Address: 10.0.0.8\n");
    CHECK(at.kernel_passes(udp_packet(8), 0));
    CHECK_FALSE(at.kernel_passes(udp_packet(8), 1));
    at.settle();
    CHECK_FALSE(at.kernel_passes(udp_packet(7), 0));
    CHECK(at.kernel_passes(udp_packet(7), 1));
}

TEST_CASE("other interfaces let everything pass until programs are made for them") {
    kernel_rig at;
    at.add_filter("X-JTap-Input-Interface: ge-0/0/1.0\nDest-Address: 10.0.0.7\n");
    at.settle();
    tap::settings with = kernel_rig::roomy();
    with.interfaces[0].name = "ge-0/0/1.0";
    with.interfaces[2].name = "ge-0/0/0.0";
    at.point.apply(
        with, [](std::string_view) { return true; }, at.now);
    at.turn();
    CHECK(at.kernel_passes(udp_packet(7), 0));
    CHECK(at.kernel_passes(udp_packet(9), 0));
    at.settle();
    CHECK(at.kernel_passes(udp_packet(7), 0));
    CHECK_FALSE(at.kernel_passes(udp_packet(9), 0));
    CHECK_FALSE(at.kernel_passes(udp_packet(7), 1));
}

TEST_CASE("more than fits into a program lets everything pass, and says so, until it fits") {
    kernel_rig at;
    std::deque<int> there;
    for (int i = 0; i < 3000; ++i)
        there.push_back(at.add_filter("Dest-Address: 10." + std::to_string(i / 100) + "." +
                                      std::to_string(i % 100) + ".1\n"));
    at.settle();
    CHECK(at.state() == tap::kernel_filter_state::in_place);
    for (int i = 0; i < 1500; ++i)
        there.push_back(at.add_filter("Dest-Address: 11." + std::to_string(i / 100) + "." +
                                      std::to_string(i % 100) + ".1\n"));
    at.settle();
    CHECK(at.state() == tap::kernel_filter_state::too_long);
    CHECK(at.kernel_passes(udp_packet(77)));
    for (; there.size() > 100; there.pop_front())
        at.remove(there.front());
    at.settle();
    CHECK(at.state() == tap::kernel_filter_state::in_place);
    CHECK_FALSE(at.kernel_passes(udp_packet(77)));
}

TEST_CASE("a program that cannot be put in place lets everything pass, and says so") {
    kernel_rig at;
    at.kernel.refuses = true;
    at.add_for(7);
    CHECK(at.state() == tap::kernel_filter_state::refused);
    CHECK(at.point.kernel_filter_states()[0].reason.code == std::errc::not_enough_memory);
    CHECK(at.copies(udp_packet(7)) == 1);
    CHECK(at.kernel_passes(udp_packet(8)));
    at.settle();
    CHECK(at.kernel_passes(udp_packet(8)));
    at.kernel.refuses = false;
    at.add_for(8);
    at.settle();
    CHECK(at.state() == tap::kernel_filter_state::in_place);
    CHECK_FALSE(at.kernel_passes(udp_packet(9)));
    CHECK(at.copies(udp_packet(7)) == 1);
}

TEST_CASE("many criteria at once let everything pass until programs are made") {
    kernel_rig at;
    std::string all;
    for (int to = 0; to < 256; ++to)
        all += at.request("lea1", add("Dest-Address: 10.0.1." + std::to_string(to) + "\n")) +
               at.request("lea1", add("Dest-Address: 10.0.2." + std::to_string(to) + "\n"));
    for (std::size_t done = 0; done < all.size();) {
        done += at.feed(at.session, std::string_view(all).substr(done));
        at.turn();
        at.read(at.session);
    }
    CHECK(at.state() == tap::kernel_filter_state::pending);
    CHECK(at.kernel_passes(udp_packet(7)));
    at.settle();
    CHECK(at.state() == tap::kernel_filter_state::in_place);
    CHECK_FALSE(at.kernel_passes(udp_packet(7)));
}

TEST_CASE("what is in force passes at every moment, whatever comes and goes") {
    for (const std::uint64_t seed : {1U, 2U, 3U, 4U, 5U, 6U}) {
        INFO("seed " << seed);
        kernel_rig at;
        at.kernel.longest = seed == 3 ? 120 : at.kernel.longest;
        std::mt19937_64 engine(seed);
        const auto below = [&](std::uint64_t bound) { return engine() % bound; };
        std::map<int, std::vector<int>> there;
        std::size_t checks = 0;
        // A worker with all packets finds what it would have found without programs.
        const auto check = [&] {
            ++checks;
            for (int to = 0; to < 40; ++to) {
                const auto packet = udp_packet(static_cast<std::uint8_t>(to));
                const std::size_t matches = at.on.pass(packet);
                REQUIRE((matches == 0 || at.kernel_passes(packet)));
            }
        };
        at.kernel.on_install = check;
        for (int step = 0; step < 150; ++step) {
            const int to = static_cast<int>(below(40));
            switch (below(8)) {
            case 0:
            case 1:
            case 2: {
                const bool ends = below(4) == 0;
                there[to].push_back(
                    at.add_filter("Dest-Address: 10.0.0." + std::to_string(to) + "\n",
                                  ends ? "Timeout-Total: 1\n" : "Flags: STATIC\n"));
                if (ends)
                    there[to].pop_back();
                break;
            }
            case 3:
                if (!there[to].empty()) {
                    at.remove(there[to].back());
                    there[to].pop_back();
                }
                break;
            case 4:
                at.elsewhere.run_all();
                break;
            case 5:
                at.elsewhere.waiting.clear();
                break;
            default:
                at.pass(std::chrono::milliseconds(below(400)));
                at.turn();
            }
            check();
        }
        at.settle();
        at.pass(2s);
        at.turn();
        at.settle();
        for (int to = 0; to < 40; ++to) {
            const auto packet = udp_packet(static_cast<std::uint8_t>(to));
            CHECK(at.copies(packet) == (there[to].empty() ? 0 : 1));
            if (seed != 3)
                CHECK(at.kernel_passes(packet) == !there[to].empty());
        }
        CHECK(checks > 200);
    }
}
