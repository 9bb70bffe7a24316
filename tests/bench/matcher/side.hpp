// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "workload.hpp"

namespace flowtap::bench {

/// How much of the truth a matcher tells.
enum class answer {
    all,   ///< the numbers of all filters that match
    first, ///< the lowest of them
    any,   ///< whether there is one
};

/// One matcher, ready to match the packets of a workload.
class side {
public:
    virtual ~side() = default;

    virtual answer tells() const { return answer::all; }
    /// Matches the packets from `first`, at most `batch` of them, and keeps what it found.
    virtual void match(std::size_t first, std::size_t count) = 0;
    /// What the last call found for the packet `index` of it: numbers of filters, or any number
    /// where only `any` is told.
    virtual void found(std::size_t index, std::vector<std::uint32_t>& numbers) const = 0;
    /// More figures of this matcher, as members of a JSON object, each with a comma before it.
    virtual std::string figures() const { return {}; }
};

/// The matcher of that name, built for a workload; none if it is not a part of this program.
/// `ours`, `portable`, `avx2`, `avx512`: the classifier with one of its code paths. Live
/// classifiers with the same criteria: `merged`, all in one level; `steady`, after many changes
/// with merges in the background; `overlaid`, with as much unmerged as there ever is when nobody
/// merges.
std::unique_ptr<side> make_ours(const workload& load, std::string_view name);
/// `acl`, `acl-avx2`, `acl-512`: DPDK's, first match only, with the instructions that it chooses by
/// itself (with AVX-512 but vectors of 256 bits, where the processor has that), with AVX2 and with
/// vectors of 512 bits; `acl-each`: with the former, then each filter that is left on the packets
/// that it hits.
std::unique_ptr<side> make_acl(const workload& load, std::string_view name);
/// `pcap-each`, `pcap-or`, `pcap-or-each`: libpcap with one program per filter, one for all, and
/// the former on the packets that the latter selects.
std::unique_ptr<side> make_pcap(const workload& load, std::string_view name);
/// `naive`: the definitions.
std::unique_ptr<side> make_naive(const workload& load, std::string_view name);

/// What is in this program beside the classifier: names and versions, members of a JSON object.
std::string acl_version();
std::string pcap_version();

/// Times changes of a live classifier that has the criteria of the workload, with merges in the
/// background and without, and gives the distributions as one JSON object.
std::string time_updates(const workload& load, std::size_t changes);

} // namespace flowtap::bench
