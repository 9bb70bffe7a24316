// SPDX-License-Identifier: Apache-2.0
#include <flowtap/tap/audit.hpp>

namespace flowtap::tap {

audit_log::~audit_log() = default;

std::string_view to_string(audit_event event) {
    switch (event) {
    case audit_event::login:
        return "login";
    case audit_event::logout:
        return "logout";
    case audit_event::refusal:
        return "refusal";
    case audit_event::add:
        return "add";
    case audit_event::remove:
        return "delete";
    case audit_event::refresh:
        return "refresh";
    case audit_event::list:
        return "list";
    case audit_event::noop:
        return "noop";
    case audit_event::enable:
        return "enable";
    case audit_event::disable:
        return "disable";
    case audit_event::commit:
        return "commit";
    case audit_event::expiry:
        return "expiry";
    case audit_event::purge:
        return "purge";
    case audit_event::start:
        return "start";
    case audit_event::stop:
        return "stop";
    case audit_event::sequence:
        return "sequence";
    case audit_event::rotation:
        return "rotation";
    case audit_event::chain:
        return "chain";
    case audit_event::authorization:
        return "authorization";
    case audit_event::subscriber:
        return "subscriber";
    }
    return "unknown";
}

} // namespace flowtap::tap
