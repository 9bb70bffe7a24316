// SPDX-License-Identifier: Apache-2.0
#include "trap_encoder.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "error.hpp"

namespace dfcd {

namespace config = flowtap::config;
using type = notification_object::type;

namespace {

/// RFC 3826: keys of AES have 128 bits.
constexpr std::size_t privacy_key_size = 16;
/// Beyond what any notification takes.
constexpr std::size_t room = 8192;

// Object ids, without their instance.
using object_id = std::vector<oid>;
const object_id uptime_id{1, 3, 6, 1, 2, 1, 1, 3};
const object_id trap_id{1, 3, 6, 1, 6, 3, 1, 1, 4, 1};
/// jnxJsPacketMirrorNotifications and jnxJsPacketMirrorTrapVars.
const object_id notifications_id{1, 3, 6, 1, 4, 1, 2636, 3, 39, 1, 16, 1, 0};
const object_id objects_id{1, 3, 6, 1, 4, 1, 2636, 3, 39, 1, 16, 1, 1, 1};

object_id below(object_id parent, oid child) {
    parent.push_back(child);
    return parent;
}

/// What net-snmp needs for its user-based security, and no more of it: neither configuration nor
/// MIBs nor state are read or written.
void begin_security() {
    static std::once_flag once;
    std::call_once(once, [] {
        netsnmp_ds_set_string(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_APPTYPE, "dfcd");
        netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
        netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
        // What is wrong is told by return values; standard error is dfcd's own log.
        snmp_disable_log();
        init_usm();
        // Random numbers for the salts of encryption.
        snmp_call_callbacks(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_POST_PREMIB_READ_CONFIG, nullptr);
    });
}

struct free_pdu {
    void operator()(netsnmp_pdu* which) const { snmp_free_pdu(which); }
};
using pdu = std::unique_ptr<netsnmp_pdu, free_pdu>;

template <class Value>
bool add(const pdu& to, object_id which, u_char as, const Value& value) {
    const object_id instance = below(std::move(which), 0);
    return snmp_pdu_add_variable(to.get(), instance.data(), instance.size(), as, &value,
                                 sizeof value) != nullptr;
}

bool add_octets(const pdu& to, object_id which, u_char as, const void* octets, std::size_t size) {
    const object_id instance = below(std::move(which), 0);
    return snmp_pdu_add_variable(to.get(), instance.data(), instance.size(), as, octets, size) !=
           nullptr;
}

bool add(const pdu& to, const notification_object& what) {
    const object_id id = below(objects_id, what.object);
    switch (what.as) {
    case type::integer:
        return add(to, id, ASN_INTEGER, static_cast<long>(what.number));
    case type::unsigned_number:
        return add(to, id, ASN_UNSIGNED, static_cast<u_long>(what.number));
    case type::counter:
        return add(to, id, ASN_COUNTER64,
                   counter64{static_cast<u_long>(what.number >> 32U),
                             static_cast<u_long>(what.number & 0xFFFFFFFFU)});
    case type::ipv4_address:
        return add(to, id, ASN_IPADDRESS, htonl(static_cast<std::uint32_t>(what.number)));
    case type::octets:
        return add_octets(to, id, ASN_OCTET_STR, what.text.data(), what.text.size());
    }
    return false;
}

pdu make_pdu(const notification& what, std::uint32_t uptime, std::uint32_t number) {
    pdu made(snmp_pdu_create(SNMP_MSG_TRAP2));
    if (!made)
        return made;
    made->version = SNMP_VERSION_3;
    made->reqid = made->msgid = static_cast<long>(number & 0x7FFFFFFFU);
    const object_id trap = below(notifications_id, what.number);
    bool whole = add(made, uptime_id, ASN_TIMETICKS, static_cast<u_long>(uptime)) &&
                 add_octets(made, trap_id, ASN_OBJECT_ID, trap.data(), trap.size() * sizeof(oid));
    for (const notification_object& each : what.objects)
        whole = whole && add(made, each);
    return whole ? std::move(made) : pdu();
}

using protocol = std::span<oid>;

protocol authentication_of(const config::snmp_user& who) {
    if (who.authentication == config::snmp_authentication::sha)
        return usmHMACSHA1AuthProtocol;
    return usmHMAC192SHA256AuthProtocol;
}

template <class Octet>
Octet* copy_out(std::span<const Octet> from) {
    auto* const made = static_cast<Octet*>(std::calloc(from.size() + 1, sizeof(Octet)));
    if (made != nullptr)
        std::ranges::copy(from, made);
    return made;
}

/// The key of a password for one engine (RFC 3414, section 2.6), to be freed.
bool make_key(const snmp_engine& of, protocol hash, const std::string& password, u_char*& key,
              std::size_t& size) {
    std::array<u_char, USM_AUTH_KU_LEN> master{};
    std::size_t master_size = master.size();
    std::array<u_char, USM_AUTH_KU_LEN> localized{};
    size = localized.size();
    const auto hash_size = static_cast<u_int>(hash.size());
    const bool made =
        generate_Ku(hash.data(), hash_size, reinterpret_cast<const u_char*>(password.data()),
                    password.size(), master.data(), &master_size) == SNMPERR_SUCCESS &&
        generate_kul(hash.data(), hash_size, of.id.data(), of.id.size(), master.data(), master_size,
                     localized.data(), &size) == SNMPERR_SUCCESS;
    if (made)
        key = copy_out(std::span<const u_char>(localized).first(size));
    ::explicit_bzero(master.data(), master.size());
    ::explicit_bzero(localized.data(), localized.size());
    return made && key != nullptr;
}

/// Takes the place of what net-snmp has put there.
void set_protocol(oid*& into, std::size_t& size, protocol chosen) {
    std::free(into);
    into = copy_out(std::span<const oid>(chosen));
    size = chosen.size();
}

usmUser* make_user(const snmp_engine& of, const config::snmp_user& who) {
    usmUser* const made = usm_create_user();
    if (made == nullptr)
        return nullptr;
    const protocol hash = authentication_of(who);
    made->engineID = copy_out(std::span<const u_char>(of.id));
    made->engineIDLen = of.id.size();
    made->name = copy_out(std::span<const char>(who.name));
    made->secName = copy_out(std::span<const char>(who.name));
    set_protocol(made->authProtocol, made->authProtocolLen, hash);
    set_protocol(made->privProtocol, made->privProtocolLen, usmAESPrivProtocol);
    if (!make_key(of, hash, who.authentication_password, made->authKey, made->authKeyLen) ||
        !make_key(of, hash, who.privacy_password, made->privKey, made->privKeyLen)) {
        usm_free_user(made);
        return nullptr;
    }
    made->privKeyLen = std::min(made->privKeyLen, privacy_key_size);
    return made;
}

} // namespace

struct trap_encoder::implementation {
    snmp_engine engine;
    std::string name;
    /// The default one.
    std::string context;
    usmUser* user = nullptr;
    mutable netsnmp_session session{};

    ~implementation() {
        usm_remove_user(user);
        usm_free_user(user);
    }
};

flowtap::result<void> check_snmp(const config::snmp_settings&) {
    return {};
}

trap_encoder::trap_encoder(std::unique_ptr<implementation> with)
    : implementation_(std::move(with)) {}

trap_encoder::~trap_encoder() = default;

flowtap::result<std::unique_ptr<trap_encoder>> trap_encoder::make(const snmp_engine& of,
                                                                  const config::snmp_user& who) {
    begin_security();
    // From now on its time is told by net-snmp's clock, which never goes backwards.
    set_enginetime(of.id.data(), snmp_engine::id_size, of.boots, 0, TRUE);
    usmUser* const user = make_user(of, who);
    if (user == nullptr)
        return flowtap::fail(errc::unusable_snmp_user);
    usm_add_user(user);
    auto made = std::make_unique<implementation>();
    made->engine = of;
    made->name = who.name;
    made->user = user;
    netsnmp_session& session = made->session;
    snmp_sess_init(&session);
    session.version = SNMP_VERSION_3;
    session.securityModel = SNMP_SEC_MODEL_USM;
    session.securityLevel = SNMP_SEC_LEVEL_AUTHPRIV;
    session.securityEngineID = session.contextEngineID = made->engine.id.data();
    session.securityEngineIDLen = session.contextEngineIDLen = made->engine.id.size();
    session.securityName = made->name.data();
    session.securityNameLen = made->name.size();
    session.contextName = made->context.data();
    session.rcvMsgMaxSize = session.sndMsgMaxSize = room;
    return std::unique_ptr<trap_encoder>(new trap_encoder(std::move(made)));
}

std::string trap_encoder::encode(const notification& what, std::uint32_t uptime,
                                 std::uint32_t number) const {
    const pdu made = make_pdu(what, uptime, number);
    if (!made)
        return {};
    std::size_t size = room;
    std::size_t used = 0;
    // It grows where that is not enough.
    auto* octets = static_cast<u_char*>(std::malloc(size));
    const bool whole = octets != nullptr && snmp_build(&octets, &size, &used,
                                                       &implementation_->session, made.get()) == 0;
    // It is written from the end of the room to its beginning.
    std::string datagram;
    if (whole)
        datagram.assign(reinterpret_cast<const char*>(octets) + (size - used), used);
    std::free(octets);
    return datagram;
}

} // namespace dfcd
