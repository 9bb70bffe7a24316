// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <utility>

#include <flowtap/subscriber/session.hpp>
#include <flowtap/tap/subscribers.hpp>

namespace flowtap::subscriber {

/// The attributes that are texts, in the order of `tap::session_trait`, which has addresses beside.
inline constexpr std::array text_traits{
    tap::session_trait::user_name,       tap::session_trait::accounting_session,
    tap::session_trait::interface,       tap::session_trait::nas_port_id,
    tap::session_trait::circuit_id,      tap::session_trait::remote_id,
    tap::session_trait::calling_station,
};

/// The text of an attribute that is one.
inline const std::string& text_of(const session_record& session, tap::session_trait by) {
    switch (by) {
    case tap::session_trait::user_name:
        return session.user_name;
    case tap::session_trait::accounting_session:
        return session.identity.accounting_session;
    case tap::session_trait::interface:
        return session.interface;
    case tap::session_trait::nas_port_id:
        return session.nas_port_id;
    case tap::session_trait::circuit_id:
        return session.circuit_id;
    case tap::session_trait::remote_id:
        return session.remote_id;
    case tap::session_trait::calling_station:
        return session.calling_station;
    case tap::session_trait::address:
        break;
    }
    static const std::string no_text;
    return no_text;
}

} // namespace flowtap::subscriber
