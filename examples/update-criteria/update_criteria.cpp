// SPDX-License-Identifier: Apache-2.0
// Changes criteria while another thread matches packets with them, and merges them meanwhile.
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <thread>
#include <utility>

#include <flowtap/filter/live_classifier.hpp>

using namespace flowtap;

namespace {

/// Hands versions to the matching thread. No lock, and neither side ever waits.
class mailbox {
public:
    ~mailbox() { delete next_.load(), delete used_.load(); }
    /// For the thread that changes the criteria; it also frees what the other one has done with.
    void publish(filter::classifier version) {
        delete next_.exchange(new filter::classifier(std::move(version)));
        delete used_.exchange(nullptr);
    }
    /// For the matching thread, between two batches: renews `mine` if there is something newer.
    void renew(filter::classifier& mine) {
        if (filter::classifier* const next = next_.exchange(nullptr)) {
            std::swap(mine, *next);
            delete used_.exchange(next); // mostly null
        }
    }

private:
    std::atomic<filter::classifier*> next_ = nullptr;
    std::atomic<filter::classifier*> used_ = nullptr;
};

struct worker {
    mailbox versions;
    std::atomic<std::uint64_t> batches = 0, matches = 0;
    std::atomic<bool> stop = false;

    void run() {
        std::array<packet_key, 32> packets; // module packet makes such keys from octets
        packets.fill({.destination = parse_ip_address("192.0.2.10").value().bits()});
        filter::match_buffer found(packets.size(), 4096);
        for (filter::classifier mine; !stop; ++batches) {
            versions.renew(mine);
            for (std::size_t i = 0, done = mine.match(packets, found); i < done; ++i)
                matches += found.matches(i).size();
        }
    }
    /// Once the batch under way is done, nothing older than what was published is in use.
    void pass_boundary() const {
        for (const std::uint64_t before = batches; batches == before;)
            std::this_thread::yield();
    }
};

filter::criterion to_host(std::uint32_t slot, std::uint32_t address) {
    filter_spec spec{.families = family::inet};
    range_entry<address_bits> host;
    host.first = host.last = {0, address};
    spec.destination_addresses.entries = {host};
    return filter::criterion::make(slot_id(slot), spec).value();
}

} // namespace

int main() {
    worker matching;
    std::thread thread([&] { matching.run(); });
    filter::live_classifier criteria;
    const auto publish = [&](const char* what) {
        matching.versions.publish(criteria.version());
        matching.pass_boundary(); // from here on, what was erased is matched no more
        const std::uint64_t before = matching.matches;
        matching.pass_boundary();
        std::printf("%s: %s\n", what, matching.matches != before ? "matches" : "no match");
    };

    bool good = true;
    for (std::uint32_t i = 0; i < 300; ++i)
        good &= bool(criteria.insert(to_host(i, 0xC000'0200 + i))); // 192.0.2.0 and on
    publish("inserted");
    criteria.erase(slot_id(10));
    publish("erased");
    auto job = criteria.begin_merge(filter::merge_aim::whole);
    std::thread background([&] { job->run(); }); // long work; all else goes on meanwhile
    good &= bool(criteria.insert(to_host(10, 0xC000'020A)));
    publish("inserted again");
    background.join();
    criteria.finish(*std::move(job));
    publish("merged");
    matching.stop = true;
    thread.join();
    return good ? 0 : 1;
}
