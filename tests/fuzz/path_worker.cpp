// SPDX-License-Identifier: Apache-2.0
//
// A control side and a worker in turns as the input says: criteria come and go, snapshots are
// published, packets of any octets and fragments of a few packets are read, the sink has room or
// not. Sums close, no packet is copied twice to a stream, and nothing leaves for a stream that was
// taken away and settled.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include <flowtap/core/bytes.hpp>
#include <flowtap/path/data_path.hpp>
#include <flowtap/path/delivery_ledger.hpp>
#include <flowtap/path/drop_policy.hpp>

namespace {

using namespace flowtap;

constexpr std::size_t slots = 8;
constexpr std::uint32_t streams = 4;

void require(bool held) {
    if (!held)
        std::abort();
}

/// What the control side does next, and all it knows.
class control_side {
public:
    explicit control_side(byte_view input) : script_(input) {}

    bool has_more() const { return script_.good() && script_.remaining() > 0; }
    byte_cursor& script() { return script_; }

    void step() {
        const std::uint8_t what = script_.u8();
        policy_ = (what & 0x40U) != 0 ? path::fragment_policy::all : path::fragment_policy::first;
        now_ += std::chrono::seconds(what >> 7);
        switch (what % 4) {
        case 0:
            add();
            break;
        case 1:
            remove();
            break;
        case 2:
            publish();
            break;
        default:
            settle();
        }
    }

    bool may_receive(stream_id stream) const { return open_.contains(stream.value()); }

    path::data_path path{path::data_path_options{
        .slots = slots,
        .streams = streams,
        .clock = [this] { return now_; },
        .fragments = {
            .decisions = 2, .early = 2, .longest_early = 64, .lifetime = std::chrono::seconds(3)}}};

private:
    static std::shared_ptr<const path::drop_policy> policy() {
        filter_spec udp;
        udp.families = family_set(family::inet) | family_set(family::inet6);
        udp.protocols.entries.push_back({{17, 17}, false});
        return *path::drop_policy::make(std::span(&udp, 1));
    }

    struct entry {
        filter_spec spec;
        std::uint32_t stream;
    };

    void add() {
        slot_id slot;
        const std::uint8_t choice = script_.u8();
        const std::uint32_t stream = choice % streams;
        if (!path.acquire(slot))
            return;
        filter_spec spec;
        spec.families = family_set(family::inet) | family_set(family::inet6);
        const std::uint8_t protocol = script_.u8();
        if (protocol == 255)
            spec.families = family::ccc;
        else if (protocol != 0)
            spec.protocols.entries.push_back({{protocol, protocol}, false});
        packet::encapsulation with;
        with.source.port = 1;
        path::action what;
        what.targets.push_back({stream_id(stream), {}, *packet::header_template::make(with)});
        if ((choice & 0x80U) != 0)
            what.withholds = udp_;
        actions_.assign(slot, std::move(what));
        present_[slot] = {spec, stream};
        open_.insert(stream);
    }

    void remove() {
        if (present_.empty())
            return;
        const auto gone = std::next(present_.begin(),
                                    static_cast<std::ptrdiff_t>(script_.u8() % present_.size()));
        actions_.erase(gone->first);
        path.release(gone->first);
        present_.erase(gone);
    }

    void publish() {
        std::vector<filter::criterion> criteria;
        for (const auto& [slot, each] : present_)
            criteria.push_back(*filter::criterion::make(slot, each.spec));
        path::snapshot next;
        next.criteria =
            std::make_shared<const filter::classifier>(*filter::classifier::build(criteria));
        next.actions = actions_;
        next.fragments = policy_;
        last_ = path.publish(std::move(next));
        published_.clear();
        for (const auto& [slot, each] : present_)
            published_.insert(each.stream);
        settle();
    }

    /// From here on only the streams of the snapshot in force, and those added since, may receive.
    void settle() {
        if (path.settled() != last_)
            return;
        open_ = published_;
        for (const auto& [slot, each] : present_)
            open_.insert(each.stream);
    }

    byte_cursor script_;
    steady_time now_;
    path::fragment_policy policy_ = path::fragment_policy::first;
    std::map<slot_id, entry> present_;
    const std::shared_ptr<const path::drop_policy> udp_ = policy();
    path::action_table actions_;
    path::generation last_;
    std::set<std::uint32_t> open_;
    std::set<std::uint32_t> published_;
};

class scripted_source final : public path::source {
public:
    explicit scripted_source(control_side& control) : control_(control) {}

    path::read_result read(std::span<path::captured_packet> packets) noexcept override {
        byte_cursor& script = control_.script();
        const std::uint8_t what = script.u8();
        const std::size_t count = what % 4;
        for (std::size_t i = 0; i < count; ++i) {
            path::captured_packet& each = packets[i];
            each.frame = (what & 0x80U) != 0
                             ? make_fragment(made_[i], script)
                             : script.take(std::min<std::size_t>(script.u8(), script.remaining()));
            each.wire_length = static_cast<std::uint32_t>(each.frame.size()) + script.u8() % 2;
            each.link = (what & 0x40U) != 0 ? packet::link_type::ethernet : packet::link_type::raw;
        }
        return {count, path::source_state::ready};
    }
    void wait(std::chrono::milliseconds) noexcept override {}
    void interrupt() noexcept override {}
    path::backpressure when_full() const noexcept override { return path::backpressure::wait; }

private:
    static constexpr std::size_t longest = 40 + 8 + 31;
    using room = std::array<std::byte, longest>;

    /// A fragment of one of eight packets of UDP.
    static byte_view make_fragment(room& into, byte_cursor& script) {
        const std::uint8_t which = script.u8();
        const std::uint8_t place = script.u8();
        const bool is_ipv4 = (which & 1U) == 0;
        const std::size_t header = is_ipv4 ? 20 : 48;
        into = {};
        const std::span<std::byte> out(into);
        const std::size_t size = header + (which >> 3);
        const auto more = static_cast<std::uint16_t>(place & 1U);
        const auto offset = static_cast<std::uint16_t>(place >> 1);
        if (is_ipv4) {
            store_big_endian(out.subspan(0, 1), std::uint8_t{0x45});
            store_big_endian(out.subspan(2, 2), static_cast<std::uint16_t>(size));
            store_big_endian(out.subspan(4, 2), static_cast<std::uint16_t>(which >> 1 & 3U));
            store_big_endian(out.subspan(6, 2), static_cast<std::uint16_t>(more << 13 | offset));
            store_big_endian(out.subspan(9, 1), std::uint8_t{17});
        } else {
            store_big_endian(out.subspan(0, 1), std::uint8_t{0x60});
            store_big_endian(out.subspan(4, 2), static_cast<std::uint16_t>(size - 40));
            store_big_endian(out.subspan(6, 1), std::uint8_t{44});
            store_big_endian(out.subspan(40, 1), std::uint8_t{17});
            store_big_endian(out.subspan(42, 2), static_cast<std::uint16_t>(offset << 3 | more));
            store_big_endian(out.subspan(44, 4), static_cast<std::uint32_t>(which >> 1 & 3U));
        }
        return byte_view(into).first(size);
    }

    control_side& control_;
    std::array<room, 4> made_{};
};

class checking_sink final : public path::sink {
public:
    explicit checking_sink(control_side& control) : control_(control) {}

    std::size_t consume(std::span<const path::copy> copies) noexcept override {
        const std::size_t taken =
            control_.has_more() ? std::min<std::size_t>(copies.size(), control_.script().u8() % 8)
                                : copies.size();
        for (const path::copy& each : copies.first(taken)) {
            require(control_.may_receive(each.stream));
            require(each.header->size() == 28);
            require(seen_.insert({each.stream, each.packet.data(), each.packet.size()}).second);
        }
        ledger().delivered(copies.first(taken));
        return taken;
    }
    void wait(std::chrono::milliseconds) noexcept override { control_.step(); }

    void next_batch() { seen_.clear(); }

private:
    struct delivery {
        stream_id stream;
        const std::byte* octets;
        std::size_t size;

        friend auto operator<=>(const delivery&, const delivery&) = default;
    };

    control_side& control_;
    std::set<delivery> seen_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    control_side control(std::as_bytes(std::span(data, size)));
    auto to = std::make_unique<checking_sink>(control);
    checking_sink& sink = *to;
    path::worker& worker =
        control.path.add_worker(std::make_unique<scripted_source>(control), std::move(to));
    while (control.has_more()) {
        control.step();
        sink.next_batch();
        worker.run_once();
        const path::path_counters counters = worker.counters();
        std::uint64_t decoded = 0;
        for (const std::uint64_t each : counters.decoded)
            decoded += each;
        std::uint64_t ended = counters.delivered;
        for (const std::uint64_t each : counters.dropped)
            ended += each;
        require(counters.seen == decoded);
        require(counters.copies == ended + counters.queued);
        require(counters.decoded[static_cast<std::size_t>(packet::verdict::ip)] +
                    counters.fragments.followed ==
                counters.tapped - counters.frames_alone + counters.untapped + counters.own +
                    counters.abandoned);
        require(counters.pending == 0);
        require(counters.withheld <= counters.untapped);
        require(counters.frames_alone <= counters.tapped && counters.tapped <= counters.seen);
        std::uint64_t later = counters.fragments.followed + counters.fragments.waiting;
        for (const std::uint64_t each : counters.fragments.left_out)
            later += each;
        require(later <=
                counters.decoded[static_cast<std::size_t>(packet::verdict::later_fragment)]);
    }
    return 0;
}
