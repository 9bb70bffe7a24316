// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/clock.hpp>

#include "neighbour_frames.hpp"
#include "route_messages.hpp"

namespace flowtap::deliver::detail {

/// How copies to one destination are to leave, for now.
struct egress_plan {
    enum class way : std::uint8_t {
        frame,       ///< as a frame of our own, with `ethernet` before it, on `device`
        system,      ///< through the system's IP sockets
        resolving,   ///< not yet: the next hop's Ethernet address is being asked for
        unreachable, ///< not at all
    };

    way how = way::system;
    unsigned device = 0;
    std::array<std::byte, ethernet_header_size> ethernet{};
    /// The longest IP packet that goes out in one piece.
    std::size_t mtu = 0;

    friend bool operator==(const egress_plan&, const egress_plan&) = default;
};

/// The questions that a route table has to its surroundings.
class network_view {
public:
    network_view() = default;
    network_view(const network_view&) = delete;
    network_view& operator=(const network_view&) = delete;

    virtual route_state route_to(const ip_address& to) noexcept = 0;
    virtual link_state link(unsigned index) noexcept = 0;
    virtual neighbour_state neighbour(unsigned device, const ip_address& address) noexcept = 0;
    /// The MTU that an ordinary socket has towards `to`; 0 if the system does not let it send.
    virtual std::size_t socket_mtu(const ip_address& to) noexcept = 0;
    /// Sends a frame, or does not.
    virtual void send(unsigned device, const solicitation& frame) noexcept = 0;

protected:
    ~network_view() = default;
};

/// What is known of the ways to the destinations in use: routes, devices, next hops. Asks when it
/// does not know, forgets what it is told has changed, and has next hops resolved: it asks for
/// their Ethernet addresses itself, and confirms them while they are in use, since frames that are
/// sent past the system's own neighbour table do neither. No I/O and no clock of its own. The
/// memory is fixed: of too many destinations those that were not used for longest are forgotten.
class route_table {
public:
    using duration = std::chrono::nanoseconds;

    /// A next hop that has not answered for so long is unreachable. It is asked every second.
    static constexpr duration resolve_limit = std::chrono::seconds(3);
    static constexpr duration ask_interval = std::chrono::seconds(1);
    /// An Ethernet address is confirmed this often, while it is in use and nobody else does it.
    static constexpr duration confirm_interval = std::chrono::seconds(30);
    /// What the system does not tell of (path MTUs, IPsec policies) is looked at this often.
    static constexpr duration refresh_interval = std::chrono::seconds(5);
    /// What was not looked up for so long is not in use.
    static constexpr duration idle_limit = std::chrono::seconds(10);

    /// `about` must outlive the table.
    explicit route_table(network_view& about);

    egress_plan look_up(const ip_address& to, steady_time now) noexcept;

    void on_event(const network_event& what, steady_time now) noexcept;
    void on_advertisement(unsigned device, const advertisement& what, steady_time now) noexcept;
    /// Changes were missed: nothing that is known counts any more.
    void forget_all() noexcept;
    /// Asks, and gives up, as time goes on. To be called every 10 ms or so.
    void tick(steady_time now) noexcept;

    /// Another number means that plans may have changed.
    std::uint64_t version() const noexcept { return version_; }
    /// Whether answers of next hops of a family are waited for.
    bool is_asking(family of) const noexcept { return asking_[of == family::inet ? 0 : 1]; }
    /// Next hops that turned out to be somebody else, or gone, while they were in use.
    std::uint64_t changes() const noexcept { return changes_; }

private:
    static constexpr std::size_t ways = 4; ///< places that an address may be kept in
    static constexpr std::size_t sets = 256;
    static constexpr std::size_t link_places = 64;
    static constexpr int confirm_attempts = 6; ///< half of them to the known address alone

    struct destination {
        ip_address to;
        bool used = false;
        bool stale = false;
        steady_time asked_at;
        steady_time used_at;
        route_state route;
        std::size_t socket_mtu = 0;
    };

    struct hop {
        enum class state : std::uint8_t { unasked, resolving, known, failed };

        unsigned device = 0;
        ip_address address;
        bool used = false;
        bool fixed = false;
        bool confirmed_by_system = false;
        state what = state::unasked;
        mac_address mac{};
        std::optional<ip_address> source; ///< to ask from
        steady_time used_at;
        steady_time since; ///< when resolving began, or the address was confirmed
        steady_time next_question;
        int questions = 0; ///< since the address was confirmed
    };

    destination& place_of(const ip_address& to, steady_time now) noexcept;
    hop& hop_of(unsigned device, const ip_address& address, steady_time now) noexcept;
    hop* find_hop(unsigned device, const ip_address& address) noexcept;
    const link_state& link_of(unsigned index) noexcept;
    void ask(destination& its, steady_time now) noexcept;
    egress_plan plan_for(destination& its, steady_time now) noexcept;
    void resolve(hop& next, steady_time now) noexcept;
    void question(hop& next, bool everybody, steady_time now) noexcept;
    void learn(hop& next, const mac_address& mac) noexcept;
    void take(hop& next, const neighbour_state& told, steady_time now) noexcept;
    void tick(hop& next, steady_time now) noexcept;
    void on_link(const link_state& link) noexcept;
    void forget_routes(const ip_prefix& of) noexcept;
    void forget_all_routes() noexcept;

    network_view& about_;
    std::vector<destination> destinations_;
    std::vector<hop> hops_;
    std::vector<link_state> links_; ///< by index, in the place of its low bits; 0 is none
    std::uint64_t version_ = 1;
    std::uint64_t changes_ = 0;
    std::array<bool, 2> asking_{};
};

} // namespace flowtap::deliver::detail
