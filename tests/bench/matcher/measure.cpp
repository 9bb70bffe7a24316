// SPDX-License-Identifier: Apache-2.0
// Times matchers in turn, on one core, after all of them were shown to find what they should, and
// prints the samples as JSON. tests/bench/matcher.py says what to measure and what it means.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <pthread.h>
#include <sched.h>

#include "clock.hpp"
#include "side.hpp"

namespace flowtap::bench {

namespace {

struct settings {
    std::size_t repetitions = 7;
    std::size_t packets = 65536;
    std::chrono::milliseconds sample{20};
    int core = -1;
    std::size_t updates = 0;
    std::vector<std::string> workloads;
};

settings read_arguments(int count, char** arguments) {
    settings made;
    for (int i = 1; i < count; ++i) {
        const std::string word = arguments[i];
        if (!word.starts_with("--")) {
            made.workloads.push_back(word);
            continue;
        }
        if (++i == count)
            refuse(word + " needs a number");
        const long value = std::strtol(arguments[i], nullptr, 10);
        if (word == "--repetitions")
            made.repetitions = static_cast<std::size_t>(std::max(value, 1L));
        else if (word == "--packets")
            made.packets = static_cast<std::size_t>(std::max(value, 1L)) * batch;
        else if (word == "--milliseconds")
            made.sample = std::chrono::milliseconds(value);
        else if (word == "--core")
            made.core = static_cast<int>(value);
        else if (word == "--updates")
            made.updates = static_cast<std::size_t>(std::max(value, 0L));
        else
            refuse("unknown option " + word);
    }
    return made;
}

void pin(int core) {
    if (core < 0)
        return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(core), &set);
    if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0)
        refuse("there is no such core");
}

/// One matcher with what was measured of it.
struct contender {
    std::string name;
    std::unique_ptr<side> with;
    /// Packets of the trace in one sample, as a whole number of batches, and how often.
    std::size_t packets = 0;
    std::size_t rounds = 1;
    /// Nanoseconds per packet.
    std::vector<double> samples;
};

std::unique_ptr<side> make_side(const workload& load, const std::string& name) {
    for (const auto& make : {make_ours, make_acl, make_pcap, make_naive}) {
        if (auto made = make(load, name))
            return made;
    }
    return nullptr;
}

[[noreturn]] void disagree(const workload& load, const contender& who, std::size_t packet,
                           std::span<const std::uint32_t> found) {
    const auto list = [](std::span<const std::uint32_t> numbers) {
        std::string text;
        for (const std::uint32_t number : numbers.first(std::min<std::size_t>(numbers.size(), 20)))
            text += ' ' + std::to_string(number);
        return text.empty() ? std::string(" none") : text;
    };
    const packet_key& key = load.keys[packet];
    std::fprintf(stderr,
                 "%s: %s disagrees on packet %zu (%s -> %s, protocol %u, ports %u and %u): it "
                 "finds filters%s, expected are%s\n",
                 load.text.c_str(), who.name.c_str(), packet,
                 to_string(ip_address(key.of_family, key.source)).c_str(),
                 to_string(ip_address(key.of_family, key.destination)).c_str(),
                 unsigned{key.protocol}, unsigned{key.source_port}, unsigned{key.destination_port},
                 list(found).c_str(), list(load.expected(packet)).c_str());
    std::exit(2);
}

bool agrees(answer tells, std::span<const std::uint32_t> found,
            std::span<const std::uint32_t> expected) {
    switch (tells) {
    case answer::all:
        return std::ranges::equal(found, expected);
    case answer::first:
        return std::ranges::equal(found, expected.first(std::min<std::size_t>(expected.size(), 1)));
    case answer::any:
        return found.empty() == expected.empty();
    }
    return false;
}

/// Holds what a matcher finds, in the batches that will be timed, against what is expected. The
/// slow ones are spared the end of the trace, after two seconds.
void verify(const workload& load, contender& who) {
    const auto deadline = thread_time() + std::chrono::seconds(2);
    std::vector<std::uint32_t> found;
    for (std::size_t first = 0; first < load.keys.size() && thread_time() < deadline;
         first += batch) {
        const std::size_t count = std::min(batch, load.keys.size() - first);
        who.with->match(first, count);
        for (std::size_t i = 0; i < count; ++i) {
            who.with->found(i, found);
            if (!agrees(who.with->tells(), found, load.expected(first + i)))
                disagree(load, who, first + i, found);
        }
    }
}

double once(contender& who) {
    const auto begin = thread_time();
    for (std::size_t round = 0; round < who.rounds; ++round) {
        for (std::size_t first = 0; first < who.packets; first += batch) {
            who.with->match(first, std::min(batch, who.packets - first));
            asm volatile("" ::: "memory");
        }
    }
    const std::chrono::duration<double, std::nano> spent = thread_time() - begin;
    return spent.count() / static_cast<double>(who.packets * who.rounds);
}

/// Finds how much work a sample of the asked time is: many rounds, or only a part of the trace.
void calibrate(const workload& load, contender& who, std::chrono::milliseconds sample) {
    const double wanted = std::chrono::duration<double, std::nano>(sample).count();
    who.packets = std::min(batch, load.keys.size());
    const double first = once(who);
    const double packets = std::max(4 * wanted / first, 1.0);
    who.packets =
        std::min(load.keys.size(), (static_cast<std::size_t>(packets) / batch + 1) * batch);
    const double whole = once(who) * static_cast<double>(who.packets);
    who.rounds = static_cast<std::size_t>(std::max(wanted / whole, 1.0));
}

void print(const workload& load, const std::vector<contender>& all, const std::string& updates) {
    std::printf("{\"workload\": \"%s\", \"criteria\": %zu, \"packets\": %zu, \"hits\": %zu, "
                "\"matches\": %zu, \"sides\": {",
                load.text.c_str(), load.criteria.size(), load.keys.size(), load.hits(),
                load.numbers.size());
    for (const contender& one : all) {
        std::printf("%s\"%s\": {\"ns\": [", &one == &all.front() ? "" : ", ", one.name.c_str());
        for (std::size_t i = 0; i < one.samples.size(); ++i)
            std::printf("%s%.4f", i == 0 ? "" : ", ", one.samples[i]);
        std::printf("], \"packets\": %zu%s}", one.packets, one.with->figures().c_str());
    }
    std::printf("}%s}", updates.c_str());
}

int run(const settings& asked) {
    pin(asked.core);
    std::vector<workload> loads;
    for (const std::string& text : asked.workloads)
        loads.push_back(make_workload(text, asked.packets));
    std::vector<std::vector<contender>> contenders(loads.size());
    for (std::size_t i = 0; i < loads.size(); ++i) {
        for (const std::string& name : loads[i].sides) {
            contender one{name, make_side(loads[i], name)};
            if (one.with == nullptr)
                continue;
            verify(loads[i], one);
            calibrate(loads[i], one, asked.sample);
            contenders[i].push_back(std::move(one));
        }
    }
    for (std::size_t repetition = 0; repetition < asked.repetitions; ++repetition) {
        for (auto& of_load : contenders) {
            for (contender& one : of_load)
                one.samples.push_back(once(one));
        }
    }
    std::printf("{\"versions\": {\"batch\": %zu%s%s}, \"workloads\": [", batch,
                pcap_version().c_str(), acl_version().c_str());
    for (std::size_t i = 0; i < loads.size(); ++i) {
        if (i != 0)
            std::printf(", ");
        print(loads[i], contenders[i],
              asked.updates == 0 ? std::string()
                                 : ", \"updates\": " + time_updates(loads[i], asked.updates));
    }
    std::printf("]}\n");
    return 0;
}

} // namespace

} // namespace flowtap::bench

int main(int count, char** arguments) {
    return flowtap::bench::run(flowtap::bench::read_arguments(count, arguments));
}
