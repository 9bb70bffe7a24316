// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <flowtap/core/result.hpp>
#include <flowtap/deliver/api.hpp>
#include <flowtap/path/sink.hpp>

namespace flowtap::deliver {

/// The egress bindings of a data path (`path::egress_id`): for each number what the copies that are
/// bound to it leave through, and for all others a way of their own. Bindings come, go and fail
/// while workers run; a worker sees the change, whole, when its sink is called next, and nobody
/// waits for it.
///
/// All members are for one thread, the control side's; the sinks of `make_sink` are their workers',
/// and are destroyed on the control side's thread.
///
/// \code
/// deliver::egress_bindings bindings;
/// for (std::unique_ptr<path::source>& input : inputs)
///     data_path.add_worker(std::move(input), *bindings.make_sink(*deliver::network_sink::open()));
/// deliver::network_options through;
/// through.socket.device = "eth3";
/// through.routes = *deliver::route_watch::open(through.socket);
/// bindings.set(path::egress_id(1), [through]() -> result<std::unique_ptr<path::sink>> {
///     auto made = deliver::network_sink::open(through);
///     if (!made)
///         return fail(made.error());
///     return std::unique_ptr<path::sink>(std::move(*made));
/// });
/// \endcode
class FLOWTAP_DELIVER_API egress_bindings {
public:
    /// Opens what the copies of one worker leave through.
    using opening = std::function<result<std::unique_ptr<path::sink>>()>;

    /// Bindings have numbers from 1 to this.
    static constexpr std::uint32_t most = 255;

    enum class status : std::uint8_t { absent, in_use, failed };

    egress_bindings();
    ~egress_bindings();
    egress_bindings(const egress_bindings&) = delete;
    egress_bindings& operator=(const egress_bindings&) = delete;

    /// A worker's sink. `otherwise` takes the copies that are bound to nothing. Those of a binding
    /// that is absent or has failed are dropped as `unreachable`.
    /// Copies at hand are sorted by binding, those of each in their order, and handed over with one
    /// call each. What a binding has no room for is queued, in 4 MiB over all, so that the others
    /// do not wait for it.
    /// Errors: those of the `opening`s.
    result<std::unique_ptr<path::sink>> make_sink(std::unique_ptr<path::sink> otherwise);

    /// Adds a binding, or has its copies leave another way: `open` is called once for each worker,
    /// also for those to come. What is queued at sinks that it had before is dropped as
    /// `unreachable`. When it fails, nothing is changed.
    /// Errors: those of `open`; `std::errc::argument_out_of_domain` for a number that is none.
    result<void> set(path::egress_id binding, opening open);
    /// From the next call of its sink on a worker drops what is bound to it, and what is queued, as
    /// `unreachable`. Nothing, for a binding that is not in use.
    void fail(path::egress_id binding);
    /// Has a binding that failed opened anew. Errors: as `set`, for one that is absent, too.
    result<void> restore(path::egress_id binding);
    /// As `fail`; it cannot be restored.
    void remove(path::egress_id binding);
    status state(path::egress_id binding) const noexcept;

    /// Whether every worker has seen all changes. Frees what no worker uses any more; other members
    /// do that, too.
    bool settled();

    /// What became of the copies that were bound to `binding`, over all workers, since there was
    /// one of this number first; of egress 0, of those that were bound to nothing. Its sums close.
    /// Copies for a binding that was absent or had failed are not among them, but among those of
    /// the worker.
    path::delivery_counters counters(path::egress_id binding);

private:
    struct state_of_all;
    std::unique_ptr<state_of_all> state_;
};

} // namespace flowtap::deliver
