// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/packet/encapsulation.hpp>
#include <flowtap/path/data_path.hpp>

#include "edition.hpp"

namespace flowtap::tap {

/// What makes two targets one content destination of a control source, so that a packet is copied
/// there once. TTL and DSCP are not part of it. A whole frame and the IP packet in it are two
/// things: who asks for both at one place gets both.
struct stream_key {
    control_source_id owner;
    packet::encapsulation_kind kind = packet::encapsulation_kind::udp;
    endpoint source;
    endpoint destination;
    std::uint32_t intercept_id = 0;
    std::uint32_t session_id = 0;
    bool of_frames = false;

    friend auto operator<=>(const stream_key&, const stream_key&) = default;
};

stream_key make_stream_key(control_source_id owner, const packet::encapsulation& around);

/// The content destinations in use. An id that is no longer used is given out again only when no
/// worker can know its old meaning.
class stream_table {
public:
    /// Ids are below this, as the data path wants them.
    static constexpr std::size_t id_limit = path::default_streams;

    bool contains(const stream_key& key) const { return streams_.contains(key); }

    /// False if there may be no ids left for `added` more streams.
    bool has_ids(std::size_t added) const noexcept {
        return next_ - free_.size() + added <= id_limit;
    }

    /// One more criterion uses the stream. There must be an id left.
    stream_id acquire(const stream_key& key);
    /// One criterion less uses it, from edition `without` on.
    void release(const stream_key& key, edition without);

    /// Every worker has passed on to edition `now`.
    void settle(edition now);

    std::size_t size() const noexcept { return streams_.size(); }
    std::size_t size(control_source_id owner) const;

private:
    struct stream {
        stream_id id;
        std::size_t users = 0;
    };
    struct retired {
        edition without;
        stream_id id;
    };

    std::map<stream_key, stream> streams_;
    std::vector<std::size_t> sizes_; ///< by owner
    std::vector<stream_id> free_;
    std::deque<retired> retired_;
    std::uint32_t next_ = 0;
};

} // namespace flowtap::tap
