// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <flowtap/capture/live.hpp>
#include <flowtap/core/packet_key.hpp>
#include <flowtap/deliver/network_sink.hpp>

#include "metrics_address.hpp"
#include "progress.hpp"

namespace dfcd {

/// `--read IF[:out]=CAPTURE` or `--live IF=DEVICE`: where an interface's packets come from.
struct input {
    enum class kind : std::uint8_t { file, device };

    kind from = kind::file;
    /// A Junos interface name, with or without unit.
    std::string interface;
    flowtap::direction way = flowtap::direction::ingress;
    /// The path of the capture, or the name of the network device.
    std::string name;
};

/// What stands for the interface of an input in the name of a file of copies.
inline constexpr std::string_view input_mark = "{interface}";

/// What the command line asks for.
struct options {
    std::string config;
    bool check_only = false;
    std::vector<std::string> listen;
    std::uint16_t port = 32001;
    std::string host_key = "/var/lib/flowtap/ssh_host_ed25519_key";
    std::string audit_log = "/var/log/flowtap/audit.jsonl";
    /// Where the first key of the audit log goes.
    std::string audit_key;
    /// The first key and the files of an audit log that is to be verified; none: dfcd is to serve.
    std::vector<std::string> verify_audit;
    /// Where the state of that is; empty: beside one of the files.
    std::string audit_state;
    std::string sequence_file = "/var/lib/flowtap/sequences";
    /// The control source whose sequence number is to be forgotten; none: dfcd is to serve.
    std::optional<std::string> reset_sequence;
    /// A password is to be hashed, by this scheme of crypt(3); empty: dfcd is to serve.
    std::string hash_scheme;
    std::vector<input> inputs;
    /// May have `input_mark` in it: then each input has a file of its own.
    std::string write;
    std::string criteria;
    bool once = false;
    bool json = false;
    bool promiscuous = false;
    /// Of each network device.
    std::size_t workers = 1;
    /// How devices are captured; none: as is best.
    std::optional<flowtap::capture::live_method> method;
    progress_kind shown = progress_kind::usual;
    /// Where status and metrics are served; none: nowhere.
    std::optional<metrics_address> metrics;
    /// Where the dfcd serves them whose status is to be shown; none: dfcd is to serve.
    std::optional<metrics_address> status;
    /// Who root becomes, as `NAME[:GROUP]`.
    std::optional<std::string> user;
    /// Which way copies leave to the network.
    flowtap::deliver::egress_choice egress = flowtap::deliver::egress_choice::automatic;
    /// What becomes of copies that are longer than the MTU towards their destination.
    flowtap::deliver::too_long_copies oversize = flowtap::deliver::too_long_copies::fragment;
    /// Of devices: flows that grow out of copies are found, and not copied.
    bool loop_brake = true;
    /// Criteria that must be in place before capture files are replayed.
    std::size_t start_after = 1;
};

/// Reads the command line: the options, or the exit status when there is nothing left to do (help
/// and version: 0; a mistake: 2, after a message on standard error).
std::variant<options, int> read_options(int argc, const char* const* argv);

} // namespace dfcd
