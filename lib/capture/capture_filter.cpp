// SPDX-License-Identifier: Apache-2.0
#include "capture_filter.hpp"

#include <span>
#include <vector>

#ifdef __linux__
// Before libpcap's own definitions of the same names.
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#endif

#include <flowtap/capture/error.hpp>

namespace flowtap::capture::detail {

namespace {

/// A compiled program of libpcap.
class compiled {
public:
    compiled() = default;
    compiled(const compiled&) = delete;
    compiled& operator=(const compiled&) = delete;
    ~compiled() { pcap_freecode(&program_); }

    result<void> compile(pcap_t* handle, const std::string& text) {
        if (pcap_compile(handle, &program_, text.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0)
            return fail(errc::invalid_filter, text + ": " + pcap_geterr(handle));
        return {};
    }
    bpf_program& program() noexcept { return program_; }

private:
    bpf_program program_{};
};

#ifdef __linux__

/// Instructions that drop what the mark and the direction rule out and fall through otherwise. They
/// use loads that only the kernel knows.
std::vector<sock_filter> kernel_only_part(const capture_filter& wanted) {
    std::vector<sock_filter> made;
    const auto ancillary = [](int which) { return static_cast<std::uint32_t>(SKF_AD_OFF + which); };
    if (wanted.excluded_mark) {
        made.push_back({BPF_LD | BPF_W | BPF_ABS, 0, 0, ancillary(SKF_AD_MARK)});
        made.push_back({BPF_JMP | BPF_JEQ | BPF_K, 0, 1, *wanted.excluded_mark});
        made.push_back({BPF_RET | BPF_K, 0, 0, 0});
    }
    if (wanted.way != PCAP_D_INOUT) {
        const bool outgoing = wanted.way == PCAP_D_OUT;
        made.push_back({BPF_LD | BPF_B | BPF_ABS, 0, 0, ancillary(SKF_AD_PKTTYPE)});
        made.push_back({BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned char>(outgoing ? 1 : 0),
                        static_cast<unsigned char>(outgoing ? 0 : 1), PACKET_OUTGOING});
        made.push_back({BPF_RET | BPF_K, 0, 0, 0});
    }
    return made;
}

void ignore_packet(unsigned char*, const pcap_pkthdr*, const unsigned char*) {}

/// Gives the filter to the kernel past libpcap, which would also run it on the first packets itself
/// and cannot do the loads above. What came before the filter is thrown away.
result<void> install_for_kernel(pcap_t* handle, const capture_filter& wanted,
                                const bpf_program& rest) {
    std::vector<sock_filter> all = kernel_only_part(wanted);
    for (const bpf_insn& each : std::span(rest.bf_insns, rest.bf_len))
        all.push_back({each.code, each.jt, each.jf, each.k});
    const sock_fprog program{static_cast<unsigned short>(all.size()), all.data()};
    if (all.size() > BPF_MAXINSNS || ::setsockopt(pcap_fileno(handle), SOL_SOCKET, SO_ATTACH_FILTER,
                                                  &program, sizeof program) != 0)
        return fail(errc::filter_not_in_kernel, wanted.text);
    while (pcap_dispatch(handle, -1, ignore_packet, nullptr) > 0) {
    }
    return {};
}

#endif

} // namespace

result<void> apply(pcap_t* handle, const capture_filter& wanted) {
    if (wanted.way != PCAP_D_INOUT && pcap_setdirection(handle, wanted.way) != 0)
        return fail(errc::invalid_filter, std::string("direction: ") + pcap_geterr(handle));
    compiled text;
    if (auto done = text.compile(handle, wanted.text); !done)
        return done;
#ifdef __linux__
    // libpcap would take these loads of a cooked capture for loads from its own header.
    if (pcap_datalink(handle) == DLT_EN10MB)
        return install_for_kernel(handle, wanted, text.program());
#endif
    if (wanted.excluded_mark)
        return fail(errc::filter_not_in_kernel, "mark");
    if (pcap_setfilter(handle, &text.program()) != 0)
        return fail(errc::invalid_filter, wanted.text + ": " + pcap_geterr(handle));
    return {};
}

} // namespace flowtap::capture::detail
