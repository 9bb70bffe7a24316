// SPDX-License-Identifier: Apache-2.0
#include "lines.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include <fmt/format.h>

#include <flowtap/capture/device_meter.hpp>
#include <flowtap/capture/live.hpp>
#include <flowtap/capture/pcap_file_source.hpp>
#include <flowtap/deliver/pcap_file_sink.hpp>

#include "error.hpp"
#include "log.hpp"

namespace dfcd {

namespace capture = flowtap::capture;
namespace deliver = flowtap::deliver;
namespace path = flowtap::path;

namespace {

/// The socket mark of the copies: what a live capture leaves out, so that no copy is tapped again.
constexpr std::uint32_t copy_mark = 0xF10'7A9;

/// Turns a result of one type into that of its base, for the callers that need no more.
template <class Base, class Derived>
flowtap::result<std::unique_ptr<Base>> as(flowtap::result<std::unique_ptr<Derived>> opened) {
    if (!opened)
        return flowtap::fail(opened.error());
    return std::unique_ptr<Base>(std::move(*opened));
}

/// Inputs whose names are the same share a file.
class file_outlet final : public copy_outlet {
public:
    explicit file_outlet(std::string pattern) : pattern_(std::move(pattern)) {}

    /// Makes the file where there is one for all, so that it is there without an input, too.
    flowtap::result<void> open() {
        if (pattern_.find(input_mark) != std::string::npos)
            return {};
        const auto made = file_of(pattern_);
        return made ? flowtap::result<void>() : flowtap::fail(made.error());
    }

    flowtap::result<std::unique_ptr<path::sink>> make_sink(const input& of) override {
        auto file = file_of(copies_name(pattern_, of));
        if (!file)
            return flowtap::fail(file.error());
        return std::unique_ptr<path::sink>(std::make_unique<deliver::pcap_file_sink>(*file));
    }

    flowtap::error failure() const override {
        for (const auto& [name, file] : files_)
            if (flowtap::error reason = file->failure(); reason.code)
                return reason;
        return {};
    }

private:
    using shared_file = std::shared_ptr<deliver::pcap_file>;

    flowtap::result<shared_file> file_of(const std::string& name) {
        if (const auto known = files_.find(name); known != files_.end())
            return known->second;
        auto made = deliver::pcap_file::create(name);
        if (made)
            files_.emplace(name, *made);
        return made;
    }

    std::string pattern_;
    std::map<std::string, shared_file> files_;
};

class network_outlet final : public copy_outlet {
public:
    explicit network_outlet(const options& chosen) : how_(network_options_for(chosen)) {}

    flowtap::result<std::unique_ptr<path::sink>> make_sink(const input&) override {
        const bool is_first = how_.routes == nullptr;
        if (is_first)
            // Without it every copy is left to the system.
            if (auto watch = deliver::route_watch::open(how_.socket))
                how_.routes = std::move(*watch);
        auto opened = deliver::network_sink::open(how_);
        if (!opened && opened.error().code == std::errc::operation_not_permitted)
            return flowtap::fail(errc::no_raw_sockets);
        if (opened && is_first && (*opened)->sends_frames())
            log("copies to Ethernet go past the packet filter and the queues of this host; "
                "--egress raw sends them through");
        return as<path::sink>(std::move(opened));
    }

private:
    deliver::network_options how_;
};

flowtap::result<opened_input> open_file(const bound_input& from) {
    auto opened = capture::pcap_file_source::open(from.from.name, {from.port, from.from.way});
    if (!opened)
        return flowtap::fail(opened.error());
    opened_input made;
    made.sources.push_back(std::move(*opened));
    return made;
}

/// `eth0 is captured with libpcap, by 1 worker (why it is not the ring)`.
std::string describe(const std::string& device, const capture::live_sources& opened) {
    const bool ring = opened.method == capture::live_method::ring;
    const std::size_t workers = opened.sources.size();
    return fmt::format("{} is captured {}, by {} worker{}{}", device,
                       ring ? "through a ring" : "with libpcap", workers, workers == 1 ? "" : "s",
                       opened.reason.empty() ? "" : " (" + opened.reason + ")");
}

/// The sources of a device that has a program in the kernel in front of them.
void count_filtered(const std::string& device,
                    std::vector<std::unique_ptr<path::source>>& sources) {
    capture::device_meter meter([device] { return capture::packets_of_device(device); },
                                std::chrono::steady_clock::now);
    for (auto& each : sources)
        each = meter.watch(std::move(each));
}

flowtap::result<opened_input> open_device(const bound_input& from, const options& chosen,
                                          capture::live_options how) {
    how.port = from.port;
    how.mode =
        chosen.promiscuous ? capture::reception::promiscuous : capture::reception::own_frames;
    if (chosen.write.empty())
        how.excluded_mark = copy_mark;
    auto opened = capture::open_live(from.from.name, how, chosen.workers, chosen.method);
    if (!opened)
        return flowtap::fail(opened.error());
    std::string text = describe(from.from.name, *opened);
    if (how.in_kernel)
        count_filtered(from.from.name, opened->sources);
    return opened_input{std::move(opened->sources), std::move(text)};
}

} // namespace

flowtap::result<opened_input> open_input(const bound_input& from, const options& chosen,
                                         capture::live_options how) {
    return from.from.from == input::kind::file ? open_file(from)
                                               : open_device(from, chosen, std::move(how));
}

flowtap::result<std::unique_ptr<copy_outlet>> copy_outlet::open(const options& chosen) {
    if (chosen.write.empty())
        return std::unique_ptr<copy_outlet>(std::make_unique<network_outlet>(chosen));
    auto files = std::make_unique<file_outlet>(chosen.write);
    if (const auto opened = files->open(); !opened)
        return flowtap::fail(opened.error());
    return std::unique_ptr<copy_outlet>(std::move(files));
}

std::string copies_name(const std::string& pattern, const input& of) {
    std::string name = pattern;
    std::string interface = of.interface + (of.way == flowtap::direction::egress ? "-out" : "");
    std::ranges::replace(interface, '/', '-');
    for (std::size_t at = 0; (at = name.find(input_mark, at)) != std::string::npos;
         at += interface.size())
        name.replace(at, input_mark.size(), interface);
    return name;
}

deliver::network_options network_options_for(const options& chosen) {
    deliver::network_options how;
    how.choice = chosen.egress;
    how.socket.too_long = chosen.oversize;
    how.socket.mark = copy_mark;
    return how;
}

path::worker_options worker_options_for(const options& chosen) {
    path::worker_options made;
    made.loop_brake = chosen.loop_brake;
    return made;
}

} // namespace dfcd
