// SPDX-License-Identifier: Apache-2.0
#include "capture_filter.hpp"

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

result<void> install(pcap_t* handle, bpf_program& program, const std::string& text) {
    if (pcap_setfilter(handle, &program) != 0)
        return fail(errc::invalid_filter, text + ": " + pcap_geterr(handle));
    return {};
}

#ifdef __linux__

bpf_insn instruction(unsigned code, std::uint32_t operand, unsigned if_true = 0,
                     unsigned if_false = 0) {
    bpf_insn made{};
    made.code = static_cast<unsigned short>(code);
    made.jt = static_cast<unsigned char>(if_true);
    made.jf = static_cast<unsigned char>(if_false);
    made.k = operand;
    return made;
}

/// Instructions that drop what the mark and the direction rule out and fall through otherwise. They
/// use loads that only the kernel knows.
std::vector<bpf_insn> kernel_only_part(const capture_filter& wanted) {
    std::vector<bpf_insn> made;
    const auto ancillary = [](int which) { return static_cast<std::uint32_t>(SKF_AD_OFF + which); };
    if (wanted.excluded_mark) {
        made.push_back(instruction(BPF_LD | BPF_W | BPF_ABS, ancillary(SKF_AD_MARK)));
        made.push_back(instruction(BPF_JMP | BPF_JEQ | BPF_K, *wanted.excluded_mark, 0, 1));
        made.push_back(instruction(BPF_RET | BPF_K, 0));
    }
    if (wanted.way != PCAP_D_INOUT) {
        const bool outgoing = wanted.way == PCAP_D_OUT;
        made.push_back(instruction(BPF_LD | BPF_B | BPF_ABS, ancillary(SKF_AD_PKTTYPE)));
        made.push_back(instruction(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, outgoing ? 1 : 0,
                                   outgoing ? 0 : 1));
        made.push_back(instruction(BPF_RET | BPF_K, 0));
    }
    return made;
}

/// libpcap falls back to its own interpreter without a word, which cannot do the loads above.
bool is_in_kernel(pcap_t* handle) {
    socklen_t length = 0;
    return ::getsockopt(pcap_fileno(handle), SOL_SOCKET, SO_GET_FILTER, nullptr, &length) == 0 &&
           length > 0;
}

result<void> install_for_kernel(pcap_t* handle, const capture_filter& wanted,
                                const bpf_program& rest) {
    std::vector<bpf_insn> all = kernel_only_part(wanted);
    all.insert(all.end(), rest.bf_insns, rest.bf_insns + rest.bf_len);
    bpf_program program{};
    program.bf_len = static_cast<unsigned>(all.size());
    program.bf_insns = all.data();
    if (auto installed = install(handle, program, wanted.text); !installed)
        return installed;
    if (!is_in_kernel(handle))
        return fail(errc::filter_not_in_kernel, wanted.text);
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
    return install(handle, text.program(), wanted.text);
}

} // namespace flowtap::capture::detail
