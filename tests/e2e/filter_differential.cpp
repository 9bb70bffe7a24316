// SPDX-License-Identifier: Apache-2.0
//
// Holds three evaluators of the same filters against each other on the captures of ../shared: the
// compiled classifier (on every code path, and as a live one that is half merged), the definitions,
// and libpcap with the filters' texts, given the packets as raw IP. The first two must always
// agree. Where libpcap differs, a decision explains it: each difference is counted in a class, and
// the counts are asserted. None may be left.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <pcap/pcap.h>

#include <flowtap/filter/classifier.hpp>
#include <flowtap/filter/live_classifier.hpp>
#include <flowtap/filter/pcap_text.hpp>
#include <flowtap/packet/view.hpp>

#include "pcap_program.hpp"
#include "random_filters.hpp"

namespace {

namespace fs = std::filesystem;
using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::testing;

constexpr std::uint64_t base_seed = 2009;
constexpr std::size_t filters_per_capture = 200;

/// Why libpcap may select another packet than a criterion does.
enum class reason : std::uint8_t {
    /// The capture holds less of the packet than its length says: what is missing cannot be loaded.
    cut_short,
    /// IPv6 extension headers other than one Fragment header: libpcap takes the first for the
    /// packet's protocol.
    extension_headers,
    /// The packet ends inside the octets of its transport header that filters look at: libpcap
    /// rejects it where it loads them, and may load one octet where two are needed.
    short_transport,
    unexplained,
};
constexpr std::size_t reasons = 4;
constexpr std::array<const char*, reasons> reason_names = {"cut short", "IPv6 extension headers",
                                                           "short transport header", "unexplained"};
/// How many pairs of packet and filter differ for each reason, over all captures.
constexpr std::array<std::size_t, reasons> expected_differences = {0, 123, 0, 0};

struct ip_packet {
    packet_key key;
    std::vector<std::byte> octets;
    /// Whether a filter looks at it.
    bool seen = false;
    reason excuse = reason::unexplained;
};

struct totals {
    std::size_t captures = 0;
    std::size_t packets = 0;
    std::size_t comparisons = 0;
    std::size_t selected = 0;
    std::size_t failures = 0;
    std::array<std::size_t, reasons> differences{};
};

bool is_extension(std::byte next_header) {
    constexpr std::array<unsigned, 8> extensions = {0, 43, 44, 51, 60, 135, 139, 140};
    return std::count(extensions.begin(), extensions.end(),
                      std::to_integer<unsigned>(next_header)) != 0;
}

reason excuse_for(const packet::packet_view& view) {
    const byte_view ip = view.ip;
    if (view.key.of_family == family::inet6 && ip.size() >= 40 && is_extension(ip[6])) {
        const bool one_fragment_header =
            ip[6] == std::byte{44} && ip.size() >= 48 && !is_extension(ip[40]);
        if (!one_fragment_header)
            return reason::extension_headers;
    }
    if (view.what == packet::verdict::cut_short)
        return reason::cut_short;
    const std::uint8_t protocol = view.key.protocol;
    const bool has_ports = protocol == 6 || protocol == 17;
    const bool has_icmp = protocol == (view.key.of_family == family::inet ? 1 : 58);
    if ((has_ports && !view.key.has_ports) || (has_icmp && !view.key.has_icmp))
        return reason::short_transport;
    return reason::unexplained;
}

std::vector<ip_packet> read_packets(const fs::path& file) {
    std::vector<ip_packet> packets;
    std::array<char, PCAP_ERRBUF_SIZE> problem{};
    const std::unique_ptr<pcap_t, decltype(&pcap_close)> capture(
        pcap_open_offline(file.c_str(), problem.data()), &pcap_close);
    if (!capture)
        return packets; // not all captures of the collection are sound
    const auto link = static_cast<packet::link_type>(pcap_datalink(capture.get()));
    pcap_pkthdr* header = nullptr;
    const unsigned char* octets = nullptr;
    while (pcap_next_ex(capture.get(), &header, &octets) == 1) {
        packet::packet_view view;
        packet::decode(link, std::as_bytes(std::span(octets, header->caplen)), header->len, view);
        const bool seen =
            view.what == packet::verdict::ip || view.what == packet::verdict::cut_short;
        if (!view.ip.empty() && (seen || view.what == packet::verdict::later_fragment))
            packets.push_back({view.key, {view.ip.begin(), view.ip.end()}, seen, excuse_for(view)});
    }
    return packets;
}

template <class T>
std::vector<T> listed(const std::set<T>& values) {
    return {values.begin(), values.end()};
}

/// The capture's own values.
value_pools pools_of(const std::vector<ip_packet>& packets) {
    std::set<address_bits> inet;
    std::set<address_bits> inet6;
    std::set<std::uint16_t> ports;
    std::set<std::uint8_t> protocols;
    std::set<std::uint8_t> icmp;
    for (const ip_packet& one : packets) {
        auto& addresses = one.key.of_family == family::inet ? inet : inet6;
        addresses.insert({one.key.source, one.key.destination});
        protocols.insert(one.key.protocol);
        if (one.key.has_ports)
            ports.insert({one.key.source_port, one.key.destination_port});
        if (one.key.has_icmp)
            icmp.insert({one.key.icmp_type, one.key.icmp_code});
    }
    return {listed(inet), listed(inet6), listed(ports), listed(protocols), listed(icmp)};
}

/// A number for a capture, from its name.
std::uint64_t seed_of(const fs::path& file) {
    std::uint64_t seed = base_seed;
    for (const char letter : file.filename().string())
        seed = (seed ^ static_cast<unsigned char>(letter)) * 0x100'0000'01B3ULL;
    return seed;
}

struct filter_and_text {
    criterion one;
    std::string text;
};

std::vector<filter_and_text> make_filters(std::uint64_t seed, const value_pools& pools) {
    random_filters random(seed, pools);
    const unsigned inet6_percent = pools.inet6.empty() ? 5 : pools.inet.empty() ? 95 : 50;
    std::vector<filter_and_text> filters;
    while (filters.size() < filters_per_capture) {
        const family of = random.chance(inet6_percent) ? family::inet6 : family::inet;
        const slot_id slot(static_cast<std::uint32_t>(filters.size()));
        auto one = criterion::make(slot, random.filter(of, 0)).value();
        if (auto text = to_pcap_filter(one.spec()))
            filters.push_back({std::move(one), *std::move(text)});
    }
    return filters;
}

using slot_lists = std::vector<std::vector<slot_id>>;

slot_lists found_by(const classifier& built, std::span<const packet_key> left,
                    std::size_t filters) {
    slot_lists all;
    match_buffer found(64, 4 * filters);
    while (!left.empty()) {
        const std::size_t done = built.match(left, found);
        for (std::size_t i = 0; i < done; ++i)
            all.emplace_back(found.matches(i).begin(), found.matches(i).end());
        left = left.subspan(done);
    }
    return all;
}

/// The first half of the criteria is merged, the others are in overlays.
classifier half_merged(std::span<const criterion> criteria) {
    live_classifier live;
    for (std::size_t i = 0; i < criteria.size(); ++i) {
        if (i == criteria.size() / 2) {
            auto job = live.begin_merge(merge_aim::whole).value();
            job.run();
            live.finish(std::move(job));
        }
        if (!live.insert(criteria[i]))
            break; // and so finds less
        live.version();
    }
    return live.version();
}

/// What the classifiers find: for each packet, a flag a filter. Another answer than the first is a
/// failure.
std::vector<std::vector<bool>> classify(const std::vector<filter_and_text>& filters,
                                        const std::vector<ip_packet>& packets, totals& sum) {
    std::vector<criterion> criteria;
    for (const auto& filter : filters)
        criteria.push_back(filter.one);
    std::vector<packet_key> keys;
    for (const ip_packet& one : packets)
        keys.push_back(one.key);

    const auto first = found_by(classifier::build(criteria).value(), keys, criteria.size());
    std::vector<classifier> others = {half_merged(criteria)};
    for (const code_path path : {code_path::portable, code_path::avx2, code_path::avx512})
        others.push_back(classifier::build(criteria, {}, path).value());
    if (others.front().cost().unmerged != criteria.size() - criteria.size() / 2)
        ++sum.failures;
    for (const classifier& other : others) {
        if (found_by(other, keys, criteria.size()) != first) {
            std::printf("classifiers of the same filters differ\n");
            ++sum.failures;
        }
    }

    std::vector<std::vector<bool>> flags(keys.size(), std::vector<bool>(criteria.size()));
    for (std::size_t i = 0; i < keys.size(); ++i) {
        for (const slot_id slot : first[i])
            flags[i][slot.value()] = true;
    }
    return flags;
}

void complain(totals& sum, const fs::path& file, std::size_t packet, const std::string& text,
              const char* what) {
    if (++sum.failures <= 20)
        std::printf("%s, IP packet %zu: %s: %s\n", file.filename().c_str(), packet, what,
                    text.c_str());
}

void compare(const fs::path& file, totals& sum) {
    const std::vector<ip_packet> packets = read_packets(file);
    ++sum.captures;
    sum.packets += packets.size();
    if (packets.empty())
        return;
    const auto filters = make_filters(seed_of(file), pools_of(packets));
    const auto flags = classify(filters, packets, sum);
    for (std::size_t number = 0; number < filters.size(); ++number) {
        const auto& [one, text] = filters[number];
        const pcap_program program(text);
        if (!program.good())
            complain(sum, file, 0, text, program.problem().c_str());
        for (std::size_t i = 0; i < packets.size(); ++i) {
            const bool defined = matches(one.spec(), packets[i].key);
            if (flags[i][number] != defined)
                complain(sum, file, i + 1, text, "the classifier and the definitions differ");
            const bool selected = defined && packets[i].seen;
            ++sum.comparisons;
            sum.selected += selected ? 1 : 0;
            if (program.selects(packets[i].octets) == selected)
                continue;
            ++sum.differences[static_cast<std::size_t>(packets[i].excuse)];
            if (packets[i].excuse == reason::unexplained)
                complain(sum, file, i + 1, text, "libpcap and the definitions differ");
        }
    }
}

std::vector<fs::path> captures_in(const fs::path& directory) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
        const fs::path extension = entry.path().extension();
        if (extension == ".pcap" || extension == ".pcapng" || extension == ".cap")
            files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

} // namespace

int main() {
    const char* const shared = std::getenv("FLOWTAP_SHARED_DATA");
    const fs::path directory = fs::path(shared != nullptr ? shared : "") / "pcaps";
    if (!fs::is_directory(directory)) {
        std::printf("SKIPPED: ../shared/pcaps is missing\n");
        return 77;
    }
    std::printf("seed %llu and each capture's name, %zu filters a capture, %s\n",
                static_cast<unsigned long long>(base_seed), filters_per_capture,
                pcap_lib_version());
    totals sum;
    for (const fs::path& file : captures_in(directory))
        compare(file, sum);

    std::printf("%zu captures, %zu IP packets, %zu comparisons, %zu selected\n", sum.captures,
                sum.packets, sum.comparisons, sum.selected);
    for (std::size_t i = 0; i < reasons; ++i) {
        std::printf("differences, %s: %zu (expected %zu)\n", reason_names[i], sum.differences[i],
                    expected_differences[i]);
        sum.failures += sum.differences[i] != expected_differences[i] ? 1 : 0;
    }
    if (sum.captures < 300 || sum.selected == 0)
        ++sum.failures;
    return sum.failures == 0 ? 0 : 1;
}
