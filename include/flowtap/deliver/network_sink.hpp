// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>

#include <flowtap/core/result.hpp>
#include <flowtap/deliver/api.hpp>
#include <flowtap/deliver/raw_ip_sink.hpp>
#include <flowtap/deliver/udp_sink.hpp>
#include <flowtap/path/sink.hpp>

namespace flowtap::deliver {

/// Sends each copy through the cheapest socket that can send it: a plain UDP socket if its source
/// address is the system's own, else a raw one. All copies of a stream leave the same way, in
/// order.
class FLOWTAP_DELIVER_API network_sink final : public path::sink {
public:
    /// Without the privilege for raw sockets, copies that need one are dropped and counted as
    /// `drop_cause::send_error`: see `has_raw_sockets`.
    /// Errors: those of the system other than for a missing privilege.
    static result<std::unique_ptr<network_sink>> open(const udp_options& options = {});
    ~network_sink() override;

    bool has_raw_sockets() const noexcept { return raw_ != nullptr; }

    std::size_t consume(std::span<const path::copy> copies) noexcept override;
    void wait(std::chrono::milliseconds limit) noexcept override;
    void report_to(path::delivery_ledger& ledger) noexcept override;

private:
    network_sink(std::unique_ptr<raw_ip_sink> raw, const udp_options& options);

    path::sink& sink_for(const path::copy& what) noexcept;

    std::unique_ptr<raw_ip_sink> raw_;
    udp_sink udp_;
    path::sink* full_ = nullptr; ///< the one that had no room
};

} // namespace flowtap::deliver
