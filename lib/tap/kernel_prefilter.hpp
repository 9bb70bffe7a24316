// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <flowtap/core/clock.hpp>
#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/filter/prefilter.hpp>
#include <flowtap/path/snapshot.hpp>
#include <flowtap/tap/kernel_filters.hpp>

#include "background_work.hpp"

namespace flowtap::tap {

/// Keeps the programs in front of the capture sockets such that they pass whatever a published
/// criterion matches.
///
/// What is added widens each program, by a short one in front of it, before it is published
/// (`widen`). What it all comes to is made into new programs elsewhere and put in their place
/// (`tighten`), which also is how what is deleted comes to be kept away. Where a program gets too
/// long, or cannot be put there, everything passes.
class kernel_prefilter {
public:
    /// Null `in`: there are no programs, and nothing here does anything.
    kernel_prefilter(kernel_filters* in, background_executor elsewhere);

    /// A criterion that will be published, in the place of what its slot had.
    void insert(slot_id slot, const filter_spec& what);
    /// A criterion that will not be published any more.
    void erase(slot_id slot);
    /// Other interfaces will be published.
    void replace(const std::shared_ptr<const path::interface_map>& interfaces);

    /// Lets pass what the criteria need that were added since. To be called before they are
    /// published.
    void widen();
    /// Puts new programs in place that were made since.
    void collect();
    /// Has new programs made if there is reason to, at most every `interval`. To be called when
    /// what was said here is in force.
    void begin(steady_time now);

    /// Whether `collect` has something to do.
    bool is_done() const noexcept { return jobs_.is_done(); }
    /// When `begin` has something to do; none if it has nothing.
    std::optional<steady_time> due() const noexcept;

    std::vector<kernel_filter_status> state() const;

private:
    static constexpr std::chrono::milliseconds interval{100};
    /// Criteria beyond which programs are not widened: everything passes until new ones are made.
    static constexpr std::size_t most_added = 256;

    /// What was said of a slot, in the order in which it was.
    struct change {
        slot_id slot;
        /// None: erased.
        std::optional<filter_spec> what;
    };

    /// What a port's program is for, and how long it may be.
    struct target {
        filter::prefilter_port frames;
        std::size_t longest = 0;
    };

    /// The programs that the criteria come to.
    struct job {
        filter::prefilter all;
        std::vector<change> changes;
        std::vector<target> targets;
        std::uint64_t interfaces = 0;
        /// By target; empty if the job has not run to its end, as for want of memory.
        std::vector<std::optional<bpf_code>> made;

        void run() noexcept;
    };

    /// The program of one port.
    struct front {
        port_id port;
        target made_for;
        /// Passes what all criteria need but those added since it was made. None: everything must
        /// pass.
        std::optional<bpf_code> tight;
        bpf_code in_place;
        kernel_filter_state state = kernel_filter_state::pending;
        error reason;
    };

    bool has_changed() const noexcept { return !changes_.empty() || interfaces_ != made_for_; }
    void note_added(const filter_spec& what);
    void take_back(job& done);
    void widen(front& at);
    void put(front& at, bpf_code what);

    kernel_filters* in_;
    std::vector<front> fronts_;
    /// What the tight programs need not know of, and those that are in place do.
    filter::prefilter added_;
    bool is_wide_ = true;
    /// All criteria but for `changes_`; a job has it while one is begun.
    filter::prefilter all_;
    std::vector<change> changes_;
    /// Counts changes of the interfaces.
    std::uint64_t interfaces_ = 1;
    std::uint64_t made_for_ = 0;
    steady_time next_;
    background_work<job> jobs_;
};

} // namespace flowtap::tap
