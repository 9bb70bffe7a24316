// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/core/packet_key.hpp>
#include <flowtap/filter/classifier.hpp>
#include <flowtap/path/action_table.hpp>
#include <flowtap/path/api.hpp>
#include <flowtap/path/sink.hpp>

namespace flowtap::path {

/// The logical interface that a frame of some port and VLAN belongs to.
struct interface_binding {
    interface_id interface;
    vrf_id vrf;

    friend bool operator==(const interface_binding&, const interface_binding&) = default;
};

/// Which logical interface the frames of each port belong to: that of the unit with the frame's
/// outermost VLAN id, else that of unit 0.
class interface_map {
public:
    /// Unit 0 of `port`.
    FLOWTAP_PATH_API void bind(port_id port, interface_binding to);
    /// The unit of `port` with this VLAN id, 0 to 4095.
    FLOWTAP_PATH_API void bind(port_id port, std::uint16_t vlan, interface_binding to);
    /// `vlan` is -1 for a frame without a tag.
    FLOWTAP_PATH_API interface_binding find(port_id port, int vlan) const noexcept;

private:
    struct vlan_binding {
        std::uint16_t vlan = 0;
        interface_binding to;
    };
    struct port_bindings {
        interface_binding unit_0;
        std::vector<vlan_binding> by_vlan; ///< sorted
    };

    port_bindings& writable(port_id port);

    std::vector<port_bindings> ports_;
};

/// The access point's own services: packets from or to them are counted and never tapped, whatever
/// the criteria ask for. Copies are not told by what is in here, but by the mark of their sockets
/// (see lib/capture/README.md): a flow that a mediation device names must not become invisible to
/// the others.
class own_traffic {
public:
    /// Packets of `protocol` (TCP or UDP) from or to `service`. An unspecified address stands for
    /// every address of its family. With `other_end`, those alone that pass between the two, at
    /// whatever port of the other one: for services of somebody else that are asked from there.
    FLOWTAP_PATH_API void add(std::uint8_t protocol, const endpoint& service,
                              const std::optional<ip_address>& other_end = std::nullopt);
    FLOWTAP_PATH_API bool contains(const packet_key& key) const noexcept;
    /// Whether it would with some ports: of a later fragment nothing more can be said.
    FLOWTAP_PATH_API bool may_contain(const packet_key& key) const noexcept;
    /// Whether it may contain packets of TCP or UDP with these ports: most it does not.
    bool may_contain(std::uint16_t source_port, std::uint16_t destination_port) const noexcept {
        return (ports_ & (port_bit(source_port) | port_bit(destination_port))) != 0;
    }

private:
    static constexpr std::uint64_t port_bit(std::uint16_t port) noexcept {
        return std::uint64_t{1} << (port & 63U);
    }

    struct entry {
        std::uint8_t protocol;
        endpoint service;
        std::optional<ip_address> other_end;

        bool joins(const packet_key& key) const noexcept;
        bool may_join(const packet_key& key) const noexcept;
    };

    std::vector<entry> entries_;
    /// One bit for each low 6 bits of a port in `entries_`: most packets need no more than this.
    std::uint64_t ports_ = 0;
};

/// Lets through a number of packets per second, evenly, and says how many of a batch that are. One
/// gate may stand before several inputs: they share its rate. Any thread.
class rate_gate {
public:
    /// A tenth of a second's packets, at least one, may come at once. Zero lets nothing through;
    /// above 10^9 a rate is taken for 10^9.
    FLOWTAP_PATH_API explicit rate_gate(std::uint64_t packets_per_second) noexcept;
    /// How many of `count` packets that were read at `now` may pass. A `now` that is older than
    /// that of another call gets what is left by that time. No lock, no allocation.
    FLOWTAP_PATH_API std::uint64_t take(std::uint64_t count, steady_time now) noexcept;

private:
    std::int64_t due(steady_time now) const noexcept;

    std::int64_t rate_;
    std::int64_t burst_;
    /// The number of the last packet let through, when packets are numbered by the moments at which
    /// they are due: `rate_` of them a second from the clock's origin on. The time as the rate
    /// counts it, so that nothing is lost to rounding.
    std::atomic<std::int64_t> used_{INT64_MIN};
};

/// The gates by port; a port without one takes everything. Copies share the gates, so that a new
/// snapshot goes on where the last one was.
class input_gates {
public:
    FLOWTAP_PATH_API void set(port_id port, std::shared_ptr<rate_gate> gate);
    /// Null if the port has none.
    rate_gate* find(port_id port) const noexcept {
        return port.value() < gates_.size() ? gates_[port.value()].get() : nullptr;
    }
    bool empty() const noexcept { return gates_.empty(); }

private:
    std::vector<std::shared_ptr<rate_gate>> gates_;
};

/// Which fragments of an IP packet that was matched are copied. Only the first can be matched.
enum class fragment_policy : std::uint8_t {
    first, ///< the first alone, as flow-tap does it
    all,   ///< the others too, for the same criteria: they follow what was decided for the first
};

/// Everything the workers need to know to tap, at one moment. Immutable once published. What is
/// null or empty does nothing.
struct snapshot {
    std::shared_ptr<const filter::classifier> criteria;
    action_table actions;
    std::shared_ptr<const interface_map> interfaces;
    std::shared_ptr<const own_traffic> own;
    std::shared_ptr<const input_gates> gates;
    /// By group: how many copies of one packet its criteria get at most. Group 0, and those beyond
    /// the end, have no limit.
    std::vector<std::uint16_t> copy_limits;
    fragment_policy fragments = fragment_policy::first;
};

} // namespace flowtap::path
