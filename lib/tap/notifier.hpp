// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include <flowtap/core/ids.hpp>
#include <flowtap/dtcp/response.hpp>

#include "edition.hpp"

namespace flowtap::tap {

/// A notification on its way to all receivers of one control source.
struct told {
    control_source_id to;
    dtcp::notification what;
};

/// The notifications that have not gone out yet, in order for each control source: none waits for
/// another's. Whoever has something to tell puts it here; the access point takes out what is due
/// and sends it to the control source's targets and channels, with version, timestamp and
/// signature.
class notifier {
public:
    /// `what` may go out when every worker has passed on to edition `after`: what was deleted is
    /// told when nothing of it leaves any more (dtcp.md, section 11). Version and timestamp are
    /// filled in when it goes out. More purged criteria than go into a datagram are told by several
    /// notifications.
    void tell(control_source_id to, dtcp::notification what, edition after = {});

    /// Takes out what is due, `most` at most: one of each control source after the other, those of
    /// each in the order of `tell`.
    std::vector<told> take(edition settled, std::size_t most);
    /// Whether there is anything that `take` would take out.
    bool is_due(edition settled) const noexcept;
    std::size_t size() const noexcept { return size_; }

private:
    struct entry {
        edition after;
        dtcp::notification what;
    };
    /// No queue is empty.
    std::map<control_source_id, std::deque<entry>> waiting_;
    std::size_t size_ = 0;
};

} // namespace flowtap::tap
