// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <flowtap/deliver/network_sink.hpp>

namespace flowtap::deliver {

result<std::unique_ptr<network_sink>> network_sink::open(const udp_options& options) {
    auto raw = raw_ip_sink::open(options.socket);
    if (raw)
        return std::unique_ptr<network_sink>(new network_sink(std::move(*raw), options));
    if (raw.error().code == std::errc::operation_not_permitted && !options.socket.mark)
        return std::unique_ptr<network_sink>(new network_sink(nullptr, options));
    return fail(raw.error());
}

network_sink::network_sink(std::unique_ptr<raw_ip_sink> raw, const udp_options& options)
    : raw_(std::move(raw)), udp_(options) {
    report_to(ledger());
}

network_sink::~network_sink() = default;

path::sink& network_sink::sink_for(const path::copy& what) noexcept {
    if (raw_ == nullptr || udp_.can_send(what))
        return udp_;
    return *raw_;
}

std::size_t network_sink::consume(std::span<const path::copy> copies) noexcept {
    std::size_t done = 0;
    while (done < copies.size()) {
        path::sink& through = sink_for(copies[done]);
        std::size_t end = done + 1;
        while (end < copies.size() && &sink_for(copies[end]) == &through)
            ++end;
        const std::size_t taken = through.consume(copies.subspan(done, end - done));
        done += taken;
        if (done < end) {
            full_ = &through;
            break;
        }
    }
    return done;
}

void network_sink::wait(std::chrono::milliseconds limit) noexcept {
    if (full_ != nullptr)
        full_->wait(limit);
}

void network_sink::report_to(path::delivery_ledger& ledger) noexcept {
    sink::report_to(ledger);
    udp_.report_to(ledger);
    if (raw_ != nullptr)
        raw_->report_to(ledger);
}

} // namespace flowtap::deliver
