// SPDX-License-Identifier: Apache-2.0
//
// Every statement of the configuration, one row each, parents before children. How to add one:
// README.md beside this file.
#include <array>

#include <flowtap/config/schema.hpp>

namespace flowtap::config {

namespace {

using permission::target;
using enum value_type;
using path_text = std::string_view;
using help_text = std::string_view;

constexpr auto flow_tap = target::flow_tap_configuration;
constexpr auto logins = target::login_configuration;
constexpr auto systems = target::system_configuration;
constexpr auto access = target::access_configuration;
constexpr auto ports = target::interface_configuration;
constexpr auto routing = target::routing_configuration;
constexpr auto firewall = target::firewall_configuration;
constexpr auto security = target::security_configuration;
constexpr auto other = target::other_configuration;

constexpr schema_row block(path_text path, target belongs, help_text help) {
    return {path, statement_kind::hierarchy, none, 0, 0, {}, help, belongs, visibility::plain};
}
/// A hierarchy that says nothing unless something stands in it.
constexpr schema_row full_block(path_text path, target belongs, help_text help) {
    return {path, statement_kind::hierarchy, none, 1, 0, {}, help, belongs, visibility::plain};
}
constexpr schema_row open_block(path_text path, target belongs, help_text help) {
    return {path, statement_kind::open, none, 0, 0, {}, help, belongs, visibility::plain};
}
constexpr schema_row flag(path_text path, target belongs, help_text help) {
    return {path, statement_kind::flag, none, 0, 0, {}, help, belongs, visibility::plain};
}
/// `most` of an entry: how many there may be; 0 for any number.
constexpr schema_row entry(path_text path, value_type key, target belongs, help_text help,
                           std::uint64_t most = 0) {
    return {path, statement_kind::entry, key, 0, most, {}, help, belongs, visibility::plain};
}
/// `most` of a list: how many members there may be; 0 for any number.
constexpr schema_row list(path_text path, value_type member, target belongs, help_text help,
                          std::uint64_t most = 0) {
    return {path, statement_kind::list, member, 0, most, {}, help, belongs, visibility::plain};
}
constexpr schema_row value(path_text path, value_type type, target belongs, help_text help) {
    return {path, statement_kind::value, type, 0, 0, {}, help, belongs, visibility::plain};
}
/// `least` and `most` of a secret or a text: how many octets it has.
constexpr schema_row secrecy(path_text path, value_type type, std::uint64_t least,
                             std::uint64_t most, target belongs, help_text help) {
    return {path, statement_kind::value, type, least, most, {}, help, belongs, visibility::secret};
}
constexpr schema_row range(path_text path, std::uint64_t least, std::uint64_t most, target belongs,
                           help_text help) {
    return {path, statement_kind::value, number, least, most, {}, help, belongs, visibility::plain};
}
constexpr schema_row one_of(path_text path, std::string_view choices, target belongs,
                            help_text help) {
    return {path, statement_kind::value, choice, 0, 0, choices, help, belongs, visibility::plain};
}

constexpr schema_row list_of(path_text path, std::string_view choices, target belongs,
                             help_text help, std::uint64_t most) {
    return {path, statement_kind::list, choice, 0, most, choices, help, belongs, visibility::plain};
}

// clang-format off
constexpr std::array table = {
    // --- system ---------------------------------------------------------------------------------
    block("system", systems, "System parameters"),
    value("system host-name", name, systems, "Name of this access point"),
    open_block("system root-authentication", logins, "Not used here: root does not log in"),
    open_block("system syslog", systems, "Not used here: the program's own log is set by options"),
    open_block("system ntp", systems, "Not used here: the operating system keeps the time"),
    open_block("system name-server", systems, "Not used here: no names are looked up"),
    value("system domain-name", name, systems, "Not used here: no names are looked up"),
    value("system time-zone", text, systems, "Not used here: times are those of the host"),

    block("system login", logins, "Who may log in, and what they may do"),
    value("system login message", text, logins, "Text that is shown before a login"),
    entry("system login class *", name, logins, "Login class: permissions under one name"),
    list("system login class * permissions", value_type::permission, logins, "What users of the class may do"),
    range("system login class * idle-timeout", 0, 4294967295, logins, "Minutes after which an idle session ends"),
    block("system login retry-options", logins, "How often and how fast logins may be tried"),
    range("system login retry-options tries-before-disconnect", 1, 10, logins, "Passwords that may be tried in a connection (3)"),
    range("system login retry-options backoff-threshold", 1, 3, logins, "Refused passwords from which on the answer is delayed (2)"),
    range("system login retry-options backoff-factor", 5, 10, logins, "Seconds by which the delay grows with each (5)"),
    range("system login retry-options maximum-time", 20, 300, logins, "Seconds that a connection has to log in (120)"),
    range("system login retry-options minimum-time", 20, 60, logins, "Not used here: maximum-time says it all"),
    range("system login retry-options lockout-period", 1, 43200, logins, "Not used here: addresses are kept away, not users"),
    entry("system login user *", name, logins, "User"),
    value("system login user * full-name", text, logins, "The user's name in full"),
    range("system login user * uid", 100, 64000, logins, "Number of the user"),
    value("system login user * class", name, logins, "Login class of the user"),
    block("system login user * authentication", logins, "How the user proves who it is"),
    secrecy("system login user * authentication encrypted-password", password_hash, 0, 384, logins, "Password, hashed by crypt(3) as in /etc/shadow"),
    entry("system login user * authentication ssh-ed25519 *", public_key, logins, "Public key of SSH, as OpenSSH writes it"),
    entry("system login user * authentication ssh-rsa *", public_key, logins, "Public key of SSH, as OpenSSH writes it"),
    entry("system login user * authentication ssh-ecdsa *", public_key, logins, "Public key of SSH, as OpenSSH writes it"),

    list_of("system authentication-order", "password radius", access, "Ways to check a password, in the order they are tried: password, radius", 2),
    block("system radius-server", access, "RADIUS servers, in the order they are asked"),
    entry("system radius-server *", address, access, "Address of a RADIUS server"),
    range("system radius-server * port", 1, 65535, access, "UDP port for authentication (1812)"),
    secrecy("system radius-server * secret", secret, 1, 255, access, "Secret shared with the server"),
    range("system radius-server * timeout", 1, 1000, access, "Seconds to wait for an answer (3)"),
    range("system radius-server * retry", 1, 100, access, "How many times to ask (3)"),
    value("system radius-server * source-address", address, access, "Address that requests come from"),

    block("system services", systems, "Services this access point offers"),
    open_block("system services ssh", systems, "Not used here: SSH of the host itself"),
    open_block("system services netconf", systems, "Not used here"),
    block("system services flow-tap-dtcp", flow_tap, "DTCP for mediation devices"),
    block("system services flow-tap-dtcp ssh", flow_tap, "DTCP over SSH (port 32001)"),
    range("system services flow-tap-dtcp ssh connection-limit", 1, 250, flow_tap, "Connections at a time (75)"),
    range("system services flow-tap-dtcp ssh rate-limit", 1, 250, flow_tap, "Connection attempts per minute (150)"),
    range("system services flow-tap-dtcp ssh source-connection-limit", 1, 250, flow_tap, "Connections of one address at a time that are not logged in (10)"),
    range("system services flow-tap-dtcp ssh source-failure-limit", 1, 1000, flow_tap, "Refused logins of one address in ten minutes, beyond which it is kept away (30)"),

    // --- interfaces -----------------------------------------------------------------------------
    block("interfaces", ports, "Interfaces"),
    entry("interfaces *", interface_name, ports, "Interface, as in ge-0/0/0 or vt-0/0/0"),
    value("interfaces * capture-device", device_name, ports, "Network device that is captured for this interface"),
    value("interfaces * egress-device", device_name, ports, "Network device that copies leave through, where the interface is in the pool of radius-flow-tap"),
    range("interfaces * egress-source-port", 1, 65535, ports, "UDP source port of those copies (the port they go to)"),
    value("interfaces * description", text, ports, "What the interface is for"),
    flag("interfaces * disable", ports, "Not used here"),
    flag("interfaces * vlan-tagging", ports, "Not used here: tags are read on every interface"),
    flag("interfaces * flexible-vlan-tagging", ports, "Not used here: tags are read on every interface"),
    value("interfaces * encapsulation", name, ports, "Not used here: the capture tells the link type"),
    range("interfaces * mtu", 256, 16000, ports, "Not used here: the device has its own"),
    open_block("interfaces * gigether-options", ports, "Not used here"),
    entry("interfaces * unit *", number, ports, "Logical interface"),
    value("interfaces * unit * description", text, ports, "What the unit is for"),
    range("interfaces * unit * vlan-id", 1, 4094, ports, "VLAN whose frames belong to the unit"),
    value("interfaces * unit * encapsulation", name, ports, "Not used here: the capture tells the link type"),
    open_block("interfaces * unit * tunnel", ports, "Not used here"),
    full_block("interfaces * unit * family", ports, "Protocol family of the unit"),
    block("interfaces * unit * family inet", ports, "IPv4"),
    entry("interfaces * unit * family inet address *", prefix, ports, "Address of the unit"),
    flag("interfaces * unit * family inet address * primary", ports, "Not used here"),
    flag("interfaces * unit * family inet address * preferred", ports, "Not used here"),
    open_block("interfaces * unit * family inet filter", ports, "Not used here: tapping happens whatever a packet filter decides"),
    open_block("interfaces * unit * family inet sampling", ports, "Not used here"),
    range("interfaces * unit * family inet mtu", 256, 16000, ports, "Not used here"),
    block("interfaces * unit * family inet6", ports, "IPv6"),
    entry("interfaces * unit * family inet6 address *", prefix, ports, "Address of the unit"),
    flag("interfaces * unit * family inet6 address * primary", ports, "Not used here"),
    flag("interfaces * unit * family inet6 address * preferred", ports, "Not used here"),
    open_block("interfaces * unit * family inet6 filter", ports, "Not used here: tapping happens whatever a packet filter decides"),
    open_block("interfaces * unit * family inet6 sampling", ports, "Not used here; excludes IPv6 flow-tap on some hardware"),
    range("interfaces * unit * family inet6 mtu", 1280, 16000, ports, "Not used here"),
    open_block("interfaces * unit * family ccc", ports, "Circuit of layer-2 frames"),
    open_block("interfaces * unit * family mpls", ports, "Not used here: MPLS is not tapped"),
    open_block("interfaces * unit * family iso", ports, "Not used here"),
    open_block("interfaces * unit * family vpls", ports, "Not used here: VPLS is not tapped"),

    // --- routing-instances, class-of-service ----------------------------------------------------
    block("routing-instances", routing, "Routing instances"),
    entry("routing-instances *", name, routing, "Routing instance, as X-JTap-VRF-Name names it"),
    one_of("routing-instances * instance-type", "vrf virtual-router forwarding virtual-switch l2vpn vpls evpn no-forwarding", routing, "Kind of instance"),
    value("routing-instances * description", text, routing, "What the instance is for"),
    entry("routing-instances * interface *", unit_name, routing, "Logical interface that belongs to the instance"),
    value("routing-instances * route-distinguisher", text, routing, "Not used here"),
    open_block("routing-instances * vrf-target", routing, "Not used here"),
    open_block("routing-instances * vrf-import", routing, "Not used here"),
    open_block("routing-instances * vrf-export", routing, "Not used here"),
    flag("routing-instances * vrf-table-label", routing, "Not used here"),
    open_block("routing-instances * routing-options", routing, "Not used here"),
    open_block("routing-instances * protocols", routing, "Not used here"),

    block("class-of-service", ports, "Forwarding classes"),
    entry("class-of-service dscp *", name, ports, "DSCP by which a forwarding class is marked"),
    range("class-of-service dscp * *", 0, 63, ports, "DSCP"),
    open_block("class-of-service forwarding-classes", ports, "Not used here"),
    open_block("class-of-service schedulers", ports, "Not used here"),
    open_block("class-of-service scheduler-maps", ports, "Not used here"),
    open_block("class-of-service classifiers", ports, "Not used here"),
    open_block("class-of-service interfaces", ports, "Not used here"),

    // --- services flow-tap ----------------------------------------------------------------------
    block("services", systems, "Services"),
    block("services flow-tap", flow_tap, "Flow-tap: copies of what mediation devices ask for"),
    value("services flow-tap interface", unit_name, flow_tap, "Service interface (FlowTap); excludes tunnel-interface"),
    value("services flow-tap tunnel-interface", unit_name, flow_tap, "Tunnel interface (FlowTapLite); excludes interface"),
    full_block("services flow-tap family", flow_tap, "Families that are tapped (inet alone when none is given)"),
    flag("services flow-tap family inet", flow_tap, "IPv4"),
    flag("services flow-tap family inet6", flow_tap, "IPv6"),
    flag("services flow-tap family ccc", flow_tap, "Layer-2 frames of circuits"),
    range("services flow-tap filter-limit", 1, 1000000, flow_tap, "Filters of all control sources together (100, FlowTapLite 3000)"),
    one_of("services flow-tap fragments", "first all", flow_tap, "Which fragments of a packet that was matched are copied (first)"),
    flag("services flow-tap kernel-filter", flow_tap, "Keep packets that no filter can match in the kernel, before they are captured"),
    range("services flow-tap remote-login-lifetime", 1, 5256000, flow_tap, "Minutes for which criteria of a login that RADIUS alone knows stay after its last login (no limit)"),
    full_block("services flow-tap udp", flow_tap, "DTCP over UDP"),
    entry("services flow-tap udp listen *", address, flow_tap, "Address at which requests come in", 16),
    list("services flow-tap udp listen * port", port, flow_tap, "UDP ports at which requests come in", 16),
    entry("services flow-tap control-source *", name, flow_tap, "Control source: a login of a mediation device, or `default` for every other login"),
    secrecy("services flow-tap control-source * dtcp-key", secret, 1, 255, flow_tap, "Key of its messages' HMAC (Juniper, over SSH only)"),
    one_of("services flow-tap control-source * port-lists", "pairs product", flow_tap, "How a list of source ports and one of destination ports combine (pairs over SSH, product over UDP)"),
    one_of("services flow-tap control-source * sequence-check", "on off", flow_tap, "Whether sequence numbers are checked (off over SSH, on over UDP)"),
    range("services flow-tap control-source * filter-limit", 1, 1000000, flow_tap, "Filters of this control source"),
    flag("services flow-tap control-source * notify", flow_tap, "Send notifications over SSH without being asked"),
    flag("services flow-tap control-source * udp", flow_tap, "It may send requests over UDP; needs a dtcp-key"),
    list("services flow-tap control-source * source-addresses", prefix, flow_tap, "Where its requests over UDP come from (anywhere)"),
    block("services flow-tap control-source * notification-targets", flow_tap, "Where notifications go over UDP"),
    entry("services flow-tap control-source * notification-targets *", address, flow_tap, "Address notifications go to", 8),
    range("services flow-tap control-source * notification-targets * port", 1, 65535, flow_tap, "UDP port notifications go to"),
    value("services flow-tap control-source * notification-version", version, flow_tap, "Version of DTCP of its notifications"),
    list("services flow-tap control-source * allowed-destinations", prefix, flow_tap, "Where copies may go (any unicast address)"),
    list("services flow-tap control-source * allowed-source-addresses", prefix, flow_tap, "Source addresses that copies may have (any unicast address)"),

    // --- services radius-flow-tap ---------------------------------------------------------------
    block("services radius-flow-tap", flow_tap, "Subscriber secure policy"),
    list("services radius-flow-tap interfaces", unit_name, flow_tap, "Pool of tunnel interfaces"),
    value("services radius-flow-tap source-ipv4-address", ipv4_address, flow_tap, "Outer source address of mirrored packets"),
    value("services radius-flow-tap forwarding-class", name, flow_tap, "Forwarding class of mirrored packets"),
    flag("services radius-flow-tap multicast-interception", flow_tap, "Mirror multicast that a subscriber joined"),
    value("services radius-flow-tap routing-instance", name, flow_tap, "Routing instance of the triggers"),
    entry("services radius-flow-tap policy *", name, flow_tap, "Policy of what is not mirrored"),
    full_block("services radius-flow-tap policy * inet", flow_tap, "IPv4"),
    entry("services radius-flow-tap policy * inet drop-policy *", name, flow_tap, "Term of what is dropped"),
    block("services radius-flow-tap policy * inet drop-policy * from", flow_tap, "Which packets the term is about"),
    full_block("services radius-flow-tap policy * inet drop-policy * from source-address", flow_tap, "Where they come from"),
    entry("services radius-flow-tap policy * inet drop-policy * from source-address *", prefix, flow_tap, "Address or prefix"),
    full_block("services radius-flow-tap policy * inet drop-policy * from destination-address", flow_tap, "Where they go to"),
    entry("services radius-flow-tap policy * inet drop-policy * from destination-address *", prefix, flow_tap, "Address or prefix"),
    list("services radius-flow-tap policy * inet drop-policy * from protocol", name, flow_tap, "Protocol: a name or a number"),
    list("services radius-flow-tap policy * inet drop-policy * from source-port", name, flow_tap, "Port or ports of TCP and UDP: 80, 1024-65535"),
    list("services radius-flow-tap policy * inet drop-policy * from destination-port", name, flow_tap, "Port or ports of TCP and UDP: 80, 1024-65535"),
    list("services radius-flow-tap policy * inet drop-policy * from icmp-type", name, flow_tap, "Type or types of ICMP"),
    list("services radius-flow-tap policy * inet drop-policy * from icmp-code", name, flow_tap, "Code or codes of ICMP"),
    full_block("services radius-flow-tap policy * inet6", flow_tap, "IPv6"),
    entry("services radius-flow-tap policy * inet6 drop-policy *", name, flow_tap, "Term of what is dropped"),
    block("services radius-flow-tap policy * inet6 drop-policy * from", flow_tap, "Which packets the term is about"),
    full_block("services radius-flow-tap policy * inet6 drop-policy * from source-address", flow_tap, "Where they come from"),
    entry("services radius-flow-tap policy * inet6 drop-policy * from source-address *", prefix, flow_tap, "Address or prefix"),
    full_block("services radius-flow-tap policy * inet6 drop-policy * from destination-address", flow_tap, "Where they go to"),
    entry("services radius-flow-tap policy * inet6 drop-policy * from destination-address *", prefix, flow_tap, "Address or prefix"),
    list("services radius-flow-tap policy * inet6 drop-policy * from protocol", name, flow_tap, "Protocol: a name or a number"),
    list("services radius-flow-tap policy * inet6 drop-policy * from source-port", name, flow_tap, "Port or ports of TCP and UDP: 80, 1024-65535"),
    list("services radius-flow-tap policy * inet6 drop-policy * from destination-port", name, flow_tap, "Port or ports of TCP and UDP: 80, 1024-65535"),
    list("services radius-flow-tap policy * inet6 drop-policy * from icmp-type", name, flow_tap, "Type or types of ICMPv6"),
    list("services radius-flow-tap policy * inet6 drop-policy * from icmp-code", name, flow_tap, "Code or codes of ICMPv6"),
    block("services radius-flow-tap snmp", flow_tap, "Notifications about subscribers"),
    list("services radius-flow-tap snmp notify-targets", address, flow_tap, "Addresses notifications go to", 8),
    range("services radius-flow-tap snmp port", 1, 65535, flow_tap, "UDP port notifications go to (162)"),
    entry("services radius-flow-tap snmp user *", name, flow_tap, "User of SNMPv3 whom notifications are encrypted for", 8),
    one_of("services radius-flow-tap snmp user * authentication-protocol", "sha sha256", flow_tap, "How they are authenticated (sha256)"),
    secrecy("services radius-flow-tap snmp user * authentication-password", secret, 8, 255, flow_tap, "Password that they are authenticated with"),
    secrecy("services radius-flow-tap snmp user * privacy-password", secret, 8, 255, flow_tap, "Password that they are encrypted with (AES-128)"),
    range("services radius-flow-tap session-limit", 1, 1000000, flow_tap, "Subscriber sessions that are mirrored at a time (2048)"),
    range("services radius-flow-tap subscriber-limit", 1, 10000000, flow_tap, "Subscriber sessions at a time, mirrored or not (100000)"),
    entry("services radius-flow-tap radius-client *", address, flow_tap, "Who may send accounting and changes of authorization", 64),
    secrecy("services radius-flow-tap radius-client * secret", secret, 1, 255, flow_tap, "Secret shared with the client"),
    entry("services radius-flow-tap listen *", address, flow_tap, "Address at which RADIUS clients are listened to (any of IPv4)", 8),
    range("services radius-flow-tap accounting-port", 1, 65535, flow_tap, "UDP port for accounting (1813)"),
    range("services radius-flow-tap authorization-port", 1, 65535, flow_tap, "UDP port for changes of authorization (3799)"),
    entry("services radius-flow-tap static-subscriber *", name, flow_tap, "Subscriber who never logs in or out"),
    value("services radius-flow-tap static-subscriber * user-name", text, flow_tap, "User name"),
    value("services radius-flow-tap static-subscriber * accounting-session-id", text, flow_tap, "Acct-Session-Id (the subscriber's name here)"),
    value("services radius-flow-tap static-subscriber * ip-address", ipv4_address, flow_tap, "IPv4 address"),
    list("services radius-flow-tap static-subscriber * ipv6-prefix", prefix, flow_tap, "IPv6 prefixes", 7),
    value("services radius-flow-tap static-subscriber * interface", unit_name, flow_tap, "Logical interface"),
    value("services radius-flow-tap static-subscriber * nas-port-id", text, flow_tap, "NAS-Port-Id"),
    value("services radius-flow-tap static-subscriber * circuit-id", text, flow_tap, "Agent circuit identifier"),
    value("services radius-flow-tap static-subscriber * remote-id", text, flow_tap, "Agent remote identifier"),
    value("services radius-flow-tap static-subscriber * calling-station-id", text, flow_tap, "Calling-Station-Id"),
    value("services radius-flow-tap static-subscriber * routing-instance", name, flow_tap, "Routing instance"),
    value("services radius-flow-tap static-subscriber * logical-system", name, flow_tap, "Logical system"),

    // --- services dynamic-flow-capture ----------------------------------------------------------
    block("services dynamic-flow-capture", flow_tap, "Dynamic flow capture; excludes flow-tap"),
    range("services dynamic-flow-capture g-max-duplicates", 1, 64, flow_tap, "Copies of a packet at most (3)"),
    range("services dynamic-flow-capture g-duplicates-dropped-periodicity", 1, 255, flow_tap, "Seconds between notifications about dropped copies (30)"),
    entry("services dynamic-flow-capture capture-group *", name, flow_tap, "Capture group", 16),
    list("services dynamic-flow-capture capture-group * interfaces", unit_name, flow_tap, "Interfaces of the group"),
    range("services dynamic-flow-capture capture-group * input-packet-rate-threshold", 0, 4294967295, flow_tap, "Packets per second above which input is sampled"),
    range("services dynamic-flow-capture capture-group * max-duplicates", 1, 64, flow_tap, "Copies of a packet at most"),
    range("services dynamic-flow-capture capture-group * duplicates-dropped-periodicity", 1, 255, flow_tap, "Seconds between notifications about dropped copies"),
    block("services dynamic-flow-capture capture-group * pic-memory-threshold", flow_tap, "Memory above which no criteria are taken"),
    range("services dynamic-flow-capture capture-group * pic-memory-threshold percentage", 0, 100, flow_tap, "Per cent of the memory"),
    entry("services dynamic-flow-capture capture-group * control-source *", name, flow_tap, "Control source", 64),
    list("services dynamic-flow-capture capture-group * control-source * source-addresses", address, flow_tap, "Addresses its requests come from", 8),
    range("services dynamic-flow-capture capture-group * control-source * service-port", 1, 65535, flow_tap, "UDP port its requests come to"),
    block("services dynamic-flow-capture capture-group * control-source * notification-targets", flow_tap, "Where notifications go"),
    entry("services dynamic-flow-capture capture-group * control-source * notification-targets *", address, flow_tap, "Address notifications go to", 8),
    range("services dynamic-flow-capture capture-group * control-source * notification-targets * port", 1, 65535, flow_tap, "UDP port notifications go to"),
    secrecy("services dynamic-flow-capture capture-group * control-source * shared-key", secret, 1, 20, flow_tap, "Key of its messages' HMAC"),
    list("services dynamic-flow-capture capture-group * control-source * allowed-destinations", name, flow_tap, "Content destinations it may use", 16),
    range("services dynamic-flow-capture capture-group * control-source * minimum-priority", 0, 255, flow_tap, "Lowest priority its criteria may have"),
    flag("services dynamic-flow-capture capture-group * control-source * no-syslog", flow_tap, "Log nothing about it"),
    entry("services dynamic-flow-capture capture-group * content-destination *", name, flow_tap, "Content destination", 64),
    value("services dynamic-flow-capture capture-group * content-destination * address", ipv4_address, flow_tap, "Address copies go to"),
    range("services dynamic-flow-capture capture-group * content-destination * ttl", 1, 255, flow_tap, "Time to live of copies (255)"),
    value("services dynamic-flow-capture capture-group * content-destination * soft-limit", bandwidth, flow_tap, "Bandwidth above which a notification is sent"),
    value("services dynamic-flow-capture capture-group * content-destination * soft-limit-clear", bandwidth, flow_tap, "Bandwidth below which soft-limit is armed again"),
    value("services dynamic-flow-capture capture-group * content-destination * hard-limit", bandwidth, flow_tap, "Bandwidth above which criteria are purged"),
    value("services dynamic-flow-capture capture-group * content-destination * hard-limit-target", bandwidth, flow_tap, "Bandwidth down to which criteria are purged"),

    // --- what flow-tap does not get on with -----------------------------------------------------
    open_block("services ipsec-vpn", security, "Not used here: tapping over a tunnel can loop"),

    block("firewall", firewall, "Packet filters: not used here, but then syslog excludes flow-tap"),
    entry("firewall filter *", name, firewall, "Packet filter"),
    entry("firewall filter * term *", name, firewall, "Term of the filter"),
    open_block("firewall filter * term * from", firewall, "Which packets the term is about"),
    open_block("firewall filter * term * then", firewall, "What is done with them"),
    flag("firewall filter * term * then syslog", firewall, "Log them; cannot stand beside flow-tap"),
    flag("firewall filter * term * then port-mirror", firewall, "Mirror them; might not work beside flow-tap"),
    full_block("firewall family", firewall, "Packet filters of a family"),
    block("firewall family inet", firewall, "IPv4"),
    entry("firewall family inet filter *", name, firewall, "Packet filter"),
    entry("firewall family inet filter * term *", name, firewall, "Term of the filter"),
    open_block("firewall family inet filter * term * from", firewall, "Which packets the term is about"),
    open_block("firewall family inet filter * term * then", firewall, "What is done with them"),
    flag("firewall family inet filter * term * then syslog", firewall, "Log them; cannot stand beside flow-tap"),
    flag("firewall family inet filter * term * then port-mirror", firewall, "Mirror them; might not work beside flow-tap"),
    block("firewall family inet6", firewall, "IPv6"),
    entry("firewall family inet6 filter *", name, firewall, "Packet filter"),
    entry("firewall family inet6 filter * term *", name, firewall, "Term of the filter"),
    open_block("firewall family inet6 filter * term * from", firewall, "Which packets the term is about"),
    open_block("firewall family inet6 filter * term * then", firewall, "What is done with them"),
    flag("firewall family inet6 filter * term * then syslog", firewall, "Log them; cannot stand beside flow-tap"),
    flag("firewall family inet6 filter * term * then port-mirror", firewall, "Mirror them; might not work beside flow-tap"),
    open_block("firewall policer", firewall, "Not used here"),

    block("forwarding-options", ports, "Sampling and mirroring: not used here"),
    open_block("forwarding-options sampling", ports, "Not used here"),
    open_block("forwarding-options sampling input", ports, "Not used here"),
    full_block("forwarding-options sampling family", ports, "Not used here"),
    open_block("forwarding-options sampling family inet", ports, "Not used here"),
    open_block("forwarding-options sampling family inet6", ports, "Not used here; excludes IPv6 flow-tap on some hardware"),
    entry("forwarding-options sampling instance *", name, ports, "Not used here"),
    open_block("forwarding-options sampling instance * input", ports, "Not used here"),
    full_block("forwarding-options sampling instance * family", ports, "Not used here"),
    open_block("forwarding-options sampling instance * family inet", ports, "Not used here"),
    open_block("forwarding-options sampling instance * family inet6", ports, "Not used here; excludes IPv6 flow-tap on some hardware"),
    open_block("forwarding-options port-mirroring", ports, "Not used here; might not work beside flow-tap"),

    open_block("security", security, "Not used here"),
    open_block("security ipsec", security, "Not used here: tapping over a tunnel can loop"),

    // --- hierarchies of Junos that this program has no business with ----------------------------
    value("version", text, other, "Version of the program that wrote the file"),
    open_block("access", other, "Not used here"),
    open_block("accounting-options", other, "Not used here"),
    open_block("applications", other, "Not used here"),
    open_block("apply-groups", other, "Not used here"),
    open_block("bridge-domains", other, "Not used here"),
    open_block("chassis", other, "Not used here"),
    open_block("dynamic-profiles", other, "Not used here"),
    open_block("event-options", other, "Not used here"),
    open_block("groups", other, "Not used here"),
    open_block("logical-systems", other, "Not used here"),
    open_block("policy-options", other, "Not used here"),
    open_block("protocols", other, "Not used here"),
    open_block("routing-options", other, "Not used here"),
    open_block("snmp", other, "Not used here"),
    open_block("vlans", other, "Not used here"),
};
// clang-format on

} // namespace

std::span<const schema_row> schema() noexcept {
    return table;
}

} // namespace flowtap::config
