// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <map>

#include <flowtap/config/secret.hpp>

#include "model.hpp"
#include "suggestion.hpp"

namespace flowtap::config {

namespace {

/// The statements that hold public keys, and the algorithms whose keys they hold.
struct key_statement {
    std::string_view keyword;
    std::string_view algorithm_prefix;
};
constexpr std::array<key_statement, 3> key_statements = {{
    {"ssh-ed25519", "ssh-ed25519"},
    {"ssh-rsa", "ssh-rsa"},
    {"ssh-ecdsa", "ecdsa-sha2-"},
}};

/// Ten years: longer ones are as good, and times stay within their range.
constexpr std::uint64_t longest_idle_minutes = 5'256'000;

bool is_predefined(std::string_view class_name) {
    const auto classes = permission::predefined_classes();
    return std::any_of(classes.begin(), classes.end(),
                       [&](const auto& known) { return known.name == class_name; });
}

void check_word(const word& permission_word, reporter& report) {
    if (permission::find_bit(permission_word.text))
        return;
    std::vector<std::string_view> known;
    for (std::size_t number = 0; number < permission::bit_count; ++number)
        known.push_back(permission::to_word(static_cast<permission::bit>(number)));
    const std::string_view meant = nearest(permission_word.text, known);
    std::string message = "there is no permission \"" + escape_text(permission_word.text) + '"';
    message += meant.empty() ? "; it grants nothing"
                             : "; it grants nothing; did you mean \"" + std::string(meant) + "\"?";
    report.warn(permission_word.where, message);
}

void read_class(const node& written, configuration& settings, reporter& report) {
    permission::login_class read{written.key().text, {}};
    if (is_predefined(read.name))
        return report.error(written.key().where,
                            "the class \"" + read.name + "\" is predefined and cannot be changed");
    if (const node* permissions = written.find("permissions"))
        for (const word& permission_word : permissions->values) {
            check_word(permission_word, report);
            read.permissions.insert(permission_word.text);
        }
    read.idle_timeout =
        std::chrono::minutes(std::min(number_or(written, "idle-timeout", 0), longest_idle_minutes));
    settings.logins.insert(std::move(read));
}

void read_key(const word& written, const key_statement& statement, permission::user& owner,
              reporter& report) {
    auto key = permission::parse_public_key(written.text);
    if (!key) {
        report.warn(written.where,
                    "nobody can log in with this key: " + key.error().code.message());
        return;
    }
    if (!key->algorithm.starts_with(statement.algorithm_prefix))
        report.error(written.where, "the statement \"" + std::string(statement.keyword) +
                                        "\" cannot hold a key of " + key->algorithm);
    else
        owner.keys.push_back(std::move(*key));
}

void read_authentication(const node& written, permission::user& owner, reporter& report) {
    if (const word* hash = written.value_of("encrypted-password")) {
        owner.password_hash = hash->text;
        if (!permission::is_locked_hash(hash->text) && !permission::is_usable_hash(hash->text))
            report.warn(hash->where,
                        "nobody can log in with this password: it is not hashed as /etc/shadow has "
                        "it ($6$, $y$, ...)");
    }
    for (const node& child : written.children)
        for (const key_statement& statement : key_statements)
            if (keyword_of(*child.row) == statement.keyword)
                read_key(child.key(), statement, owner, report);
}

void read_user(const node& written, configuration& settings, reporter& report) {
    permission::user read;
    read.name = written.key().text;
    if (const word* uid = written.value_of("uid"))
        read.uid = static_cast<std::uint32_t>(number_of(*uid));
    if (const node* authentication = written.find("authentication"))
        read_authentication(*authentication, read, report);
    if (const word* its_class = written.value_of("class"))
        read.class_name = its_class->text;
    settings.logins.insert(std::move(read));
}

/// Classes may stand behind the users that have them, so this comes last.
void check_class_of(const node& written, const configuration& settings, reporter& report) {
    const word* its_class = written.value_of("class");
    if (its_class == nullptr) {
        if (!written.flawed)
            report.error(written.key().where,
                         "the user \"" + written.key().text + "\" has no class");
        return;
    }
    if (settings.logins.find_class(its_class->text) != nullptr)
        return;
    std::vector<std::string_view> known;
    for (const auto& candidate : settings.logins.classes())
        known.push_back(candidate.name);
    const std::string_view meant = nearest(its_class->text, known);
    report.error(its_class->where,
                 "there is no login class \"" + its_class->text + '"' +
                     (meant.empty() ? "" : "; did you mean \"" + std::string(meant) + "\"?"));
}

void check_uid_of(const node& written, std::map<std::string, const node*>& owners,
                  reporter& report) {
    const word* uid = written.value_of("uid");
    if (uid == nullptr)
        return;
    const auto [owner, is_new] = owners.emplace(uid->text, &written);
    if (!is_new)
        report.error(uid->where,
                     "the user \"" + owner->second->key().text + "\" has this uid already");
}

/// Statements of Junos that are taken and have no effect: nobody is to rely on them.
void warn_of_unused(const node& retries, reporter& report) {
    if (const node* const found = retries.find("minimum-time"))
        report.warn(found->where, "minimum-time has no effect here: maximum-time ends connections");
    if (const node* const found = retries.find("lockout-period"))
        report.warn(found->where, "lockout-period has no effect here: addresses are kept away, not "
                                  "users (source-failure-limit)");
}

void read_retries(const node& login, login_retries& read, reporter& report) {
    const node* const written = login.find("retry-options");
    if (written == nullptr)
        return;
    warn_of_unused(*written, report);
    const auto number = [&](std::string_view keyword, unsigned otherwise) {
        return static_cast<unsigned>(number_or(*written, keyword, otherwise));
    };
    const auto seconds = [&](std::string_view keyword, std::chrono::seconds otherwise) {
        return std::chrono::seconds(
            number_or(*written, keyword, static_cast<std::uint64_t>(otherwise.count())));
    };
    read.tries = number("tries-before-disconnect", read.tries);
    read.backoff_threshold = number("backoff-threshold", read.backoff_threshold);
    read.backoff_factor = seconds("backoff-factor", read.backoff_factor);
    read.maximum_time = seconds("maximum-time", read.maximum_time);
}

} // namespace

void read_logins(const node& top, configuration& settings, reporter& report) {
    const node* login = top.find_path({"system", "login"});
    if (login == nullptr)
        return;
    read_retries(*login, settings.retries, report);
    std::map<std::string, const node*> owners;
    for (const node& child : login->children) {
        if (keyword_of(*child.row) == "class")
            read_class(child, settings, report);
        if (keyword_of(*child.row) == "user")
            read_user(child, settings, report);
    }
    for (const node& child : login->children)
        if (keyword_of(*child.row) == "user") {
            check_class_of(child, settings, report);
            check_uid_of(child, owners, report);
        }
}

void read_access(const node& top, configuration& settings, reporter& report) {
    const node* servers = top.find_path({"system", "radius-server"});
    for (const node& written : servers != nullptr ? servers->children : std::vector<node>{}) {
        radius_server read;
        read.address = *parse_ip_address(written.key().text);
        read.port = static_cast<std::uint16_t>(number_or(written, "port", read.port));
        read.timeout = std::chrono::seconds(number_or(written, "timeout", 3));
        read.retry = static_cast<unsigned>(number_or(written, "retry", read.retry));
        if (const word* source = written.value_of("source-address")) {
            read.source_address = *parse_ip_address(source->text);
            if (read.source_address->ip_family() != read.address.ip_family())
                report.error(source->where, "the source address is not of the server's family");
        }
        if (const word* secret = written.value_of("secret"))
            read.secret = *reveal_secret(secret->text);
        else if (!written.flawed)
            report.error(written.where, "the RADIUS server has no secret");
        settings.radius_servers.push_back(std::move(read));
    }

    const node* order = top.find_path({"system", "authentication-order"});
    if (order == nullptr || order->values.empty())
        return;
    settings.authentication_order.clear();
    for (const word& method : order->values) {
        const bool radius = method.text == "radius";
        settings.authentication_order.push_back(radius ? authentication_method::radius
                                                       : authentication_method::password);
        if (radius && settings.radius_servers.empty())
            report.warn(method.where, "there is no RADIUS server to ask");
    }
}

} // namespace flowtap::config
