// SPDX-License-Identifier: Apache-2.0
#include "error.hpp"

#include <string>

namespace dfcd {

namespace {

constexpr const char* how_to_get_it =
    "It comes with a start as root, with \"setcap cap_net_raw+ep\" for the program, or with "
    "AmbientCapabilities=CAP_NET_RAW in a unit of systemd";

class dfcd_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "dfcd"; }

    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::interface_not_configured:
            return "the interface is not configured";
        case errc::criterion_refused:
            return "a criterion of the file was refused";
        case errc::criterion_unanswered:
            return "a request of the file was not answered";
        case errc::login_of_criteria_file:
            return "a login has the name that the criteria of --criteria belong to";
        case errc::criteria_file_without_ssh:
            return "--criteria is for services flow-tap only";
        case errc::no_source_address:
            return "the copies of a capture group have no address to come from: none of its "
                   "interfaces has one (family inet), and there is no route to a content "
                   "destination";
        case errc::no_raw_sockets:
            return std::string("copies need CAP_NET_RAW to be sent; without it only --write "
                               "works. ") +
                   how_to_get_it;
        case errc::no_raw_capture:
            return std::string("live capture needs CAP_NET_RAW. ") + how_to_get_it;
        case errc::no_such_user:
            return "there is no such user or group to become";
        case errc::user_without_root:
            return "only root can become another user with --user";
        case errc::directory_not_writable:
            return "the user that dfcd becomes cannot write in this directory: give it to that "
                   "user (chown)";
        case errc::damaged_sequence_file:
            return "the file of sequence numbers is damaged; repair it, or remove it and so take "
                   "any number that comes first";
        case errc::sequence_file_in_use:
            return "another process has the file of sequence numbers open";
        case errc::nothing_to_serve:
            return "there is neither \"services flow-tap\" nor \"services "
                   "dynamic-flow-capture\" to serve";
        case errc::other_service:
            return "going over from flow-tap to dynamic flow capture, or back, takes a new start";
        case errc::no_radius:
            return "\"system authentication-order\" has RADIUS servers asked, and this dfcd was "
                   "built "
                   "without RADIUS";
        case errc::no_snmp:
            return "\"services radius-flow-tap snmp\" has notifications sent, and this dfcd was "
                   "built without net-snmp";
        case errc::unusable_snmp_user:
            return "net-snmp makes no keys for a user of SNMP: it may not have the algorithms";
        case errc::damaged_engine_file:
            return "the file of the SNMP engine is damaged; remove it, and give the receivers of "
                   "notifications the engine id that is new then";
        case errc::audit_log_in_use:
            return "another process has the audit log open";
        case errc::damaged_audit_state:
            return "the state of the audit log is damaged; verify the log, move it, its state and "
                   "its key away, and so begin another chain";
        case errc::lost_audit_state:
            return "the audit log is a chain, and the state that it goes on from is missing; "
                   "verify the log, move it and its key away, and so begin another chain";
        case errc::no_audit_key:
            return "this is no key of an audit log";
        case errc::no_metrics_address:
            return "metrics and status are served at unix:PATH or at ADDRESS:PORT, an IPv6 address "
                   "in brackets";
        case errc::metrics_not_loopback:
            return "metrics and status are served at loopback addresses only";
        case errc::metrics_socket_in_use:
            return "another process serves at this socket";
        case errc::metrics_socket_is_file:
            return "where the socket is to be stands something that is none";
        case errc::no_status:
            return "no dfcd answered with its status";
        }
        return "unknown error";
    }
};

} // namespace

const std::error_category& category() noexcept {
    static const dfcd_category instance;
    return instance;
}

} // namespace dfcd
