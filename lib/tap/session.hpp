// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include <flowtap/core/address.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/dtcp/framer.hpp>
#include <flowtap/tap/access_point.hpp>

#include "answer.hpp"
#include "control_source.hpp"
#include "publisher.hpp"

namespace flowtap::tap {

/// One channel: the octets of requests that are not whole yet, and the answers that have not been
/// read, in the order of the requests, with the notifications that came between them.
class session {
public:
    /// How many answers may wait.
    static constexpr std::size_t answer_limit = 256;
    /// How many notifications may wait.
    static constexpr std::size_t notification_limit = 1024;
    /// How many octets of requests that answers repeat may wait.
    static constexpr std::size_t repeated_limit = 64UL * 1024;
    /// How many criteria requests may go through between two reads, so that a session that asks
    /// much takes turns with the others.
    static constexpr std::size_t work_limit = 8192;

    session(control_source& of, std::string peer, std::optional<ip_address> address);

    control_source& source() const noexcept { return *source_; }
    const std::string& peer() const noexcept { return peer_; }
    const std::optional<ip_address>& address() const noexcept { return address_; }

    dtcp::framer requests;

    /// False when the answers that wait are too many, or a LIST answer is among them, and so no
    /// request may be taken: each one bounds what this session holds.
    bool takes_requests() const noexcept;
    void put(answer next);
    /// Puts a notification behind the answers that wait. False if too many wait already: it is
    /// dropped then, nobody waits for a slow reader.
    bool tell(std::shared_ptr<const dtcp::notification> what);
    /// `criteria` were gone through for a request.
    void charge(std::size_t criteria) noexcept { work_ += criteria; }

    /// Moves octets of answers to `room`, and says how many.
    std::size_t read(std::span<char> room, const publisher& published, time_stamp now);
    /// True when `read` would have something.
    bool is_readable(const publisher& published) const noexcept;
    /// True when all answers have been read.
    bool is_drained() const noexcept { return outputs_.empty() && text_.size() == read_; }
    /// True when the first answer waits for the data path.
    bool is_waiting(const publisher& published) const noexcept;

    /// No more requests are taken. The session is to be closed when its answers have been read.
    void close_when_read(std::string diagnostic);
    /// Forgets all answers, and closes.
    void close_now(std::string diagnostic);
    /// The diagnostic; none while the session is not to be closed.
    const std::optional<std::string>& closing() const noexcept { return closing_; }

    /// `output_ready` was said and not yet followed by a read of everything.
    bool announced = false;
    /// `close_session` was said.
    bool close_announced = false;

private:
    using notice = std::shared_ptr<const dtcp::notification>;
    using output = std::variant<answer, notice>;

    bool is_due(const output& one, const publisher& published) const noexcept;
    /// Makes text of the first output, or of its next piece. False if there is none for now.
    bool render(const publisher& published, time_stamp now);
    /// Makes text. True if there is more of the same.
    bool render(answer& next, time_stamp now);
    bool render(const notice& next, time_stamp now);

    control_source* source_;
    std::string peer_;
    std::optional<ip_address> address_;
    std::deque<output> outputs_;
    std::size_t notices_ = 0;
    std::size_t lists_ = 0;
    std::size_t repeated_ = 0;
    std::size_t work_ = 0;
    /// Octets of the first output, read up to `read_`.
    std::string text_;
    std::size_t read_ = 0;
    std::optional<std::string> closing_;
};

} // namespace flowtap::tap
