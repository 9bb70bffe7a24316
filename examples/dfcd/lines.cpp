// SPDX-License-Identifier: Apache-2.0
#include "lines.hpp"

#include <utility>

#include <fmt/format.h>

#include <flowtap/capture/live.hpp>
#include <flowtap/capture/pcap_file_source.hpp>
#include <flowtap/deliver/network_sink.hpp>
#include <flowtap/deliver/pcap_file_sink.hpp>

#include "error.hpp"

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

class file_outlet final : public copy_outlet {
public:
    explicit file_outlet(std::shared_ptr<deliver::pcap_file> file) : file_(std::move(file)) {}

    flowtap::result<std::unique_ptr<path::sink>> make_sink() override {
        return std::unique_ptr<path::sink>(std::make_unique<deliver::pcap_file_sink>(file_));
    }

    flowtap::error failure() const override { return file_->failure(); }

private:
    std::shared_ptr<deliver::pcap_file> file_;
};

class network_outlet final : public copy_outlet {
public:
    flowtap::result<std::unique_ptr<path::sink>> make_sink() override {
        deliver::udp_options how;
        how.socket.mark = copy_mark;
        auto opened = deliver::network_sink::open(how);
        if (!opened && opened.error().code == std::errc::operation_not_permitted)
            return flowtap::fail(errc::no_raw_sockets);
        return as<path::sink>(std::move(opened));
    }
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

flowtap::result<opened_input> open_device(const bound_input& from, const options& chosen,
                                          std::function<void(capture::device_state)> on_change) {
    capture::live_options how;
    how.port = from.port;
    how.mode =
        chosen.promiscuous ? capture::reception::promiscuous : capture::reception::own_frames;
    if (chosen.write.empty())
        how.excluded_mark = copy_mark;
    how.on_change = std::move(on_change);
    auto opened = capture::open_live(from.from.name, how, chosen.workers, chosen.method);
    if (!opened)
        return flowtap::fail(opened.error());
    std::string text = describe(from.from.name, *opened);
    return opened_input{std::move(opened->sources), std::move(text)};
}

} // namespace

flowtap::result<opened_input> open_input(const bound_input& from, const options& chosen,
                                         std::function<void(capture::device_state)> on_change) {
    return from.from.from == input::kind::file ? open_file(from)
                                               : open_device(from, chosen, std::move(on_change));
}

flowtap::result<std::unique_ptr<copy_outlet>> copy_outlet::open(const options& chosen) {
    if (chosen.write.empty())
        return std::unique_ptr<copy_outlet>(std::make_unique<network_outlet>());
    auto file = deliver::pcap_file::create(chosen.write);
    if (!file)
        return flowtap::fail(file.error());
    return std::unique_ptr<copy_outlet>(std::make_unique<file_outlet>(std::move(*file)));
}

} // namespace dfcd
