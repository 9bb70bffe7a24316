// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <semaphore>
#include <utility>

#include <flowtap/transport/ordered_authenticator.hpp>

#include "admission.hpp"

namespace flowtap::transport {

remote_authority::~remote_authority() = default;

struct ordered_authenticator::in_force {
    explicit in_force(login_rules with)
        : rules(std::move(with)), checker(rules.logins.typical_hash()) {}

    login_rules rules;
    permission::password_checker checker;
};

struct ordered_authenticator::hash_places {
    std::counting_semaphore<most_hashes> free{most_hashes};
};

/// One of the places, until it goes.
class ordered_authenticator::hash_place {
public:
    explicit hash_place(hash_places& of) : of_(of) { of_.free.acquire(); }
    ~hash_place() { of_.free.release(); }
    hash_place(const hash_place&) = delete;
    hash_place& operator=(const hash_place&) = delete;

private:
    hash_places& of_;
};

namespace {

/// Names become those of control sources, which are printable (a Csource-ID has no blank).
bool is_remote_name(std::string_view name) {
    constexpr std::size_t longest_name = 253;
    return !name.empty() && name.size() <= longest_name &&
           std::ranges::all_of(name, [](char letter) { return letter > ' ' && letter < '\x7F'; });
}

} // namespace

/// What becomes of one password.
class ordered_authenticator::decision {
public:
    decision(const in_force& with, hash_places& places, const login_attempt& attempt,
             std::string_view password)
        : with_(with), places_(places), attempt_(attempt), password_(password) {}

    /// Tries the methods until one accepts.
    std::optional<permission::principal> take() {
        for (const login_method method : with_.rules.order)
            if (auto who = method == login_method::password ? ask_locally() : ask_remotely())
                return who;
        const bool has_passwords =
            std::ranges::find(with_.rules.order, login_method::password) != with_.rules.order.end();
        return is_unanswered_ && !has_passwords ? ask_locally() : std::nullopt;
    }

    /// What a refusal still has to cost.
    void pay() {
        if (has_paid_)
            return;
        const hash_place place = enter();
        with_.checker.check(password_, {});
    }

    const std::optional<remote_acceptance>& granted() const noexcept { return granted_; }

private:
    std::optional<permission::principal> ask_locally() {
        const hash_place place = enter();
        return permission::authenticate_password(with_.rules.logins, with_.checker, attempt_.user,
                                                 password_, attempt_.peer);
    }

    std::optional<permission::principal> ask_remotely() {
        if (!is_remote_name(attempt_.user))
            return std::nullopt;
        remote_answer answer = remote_silence{};
        if (with_.rules.remote)
            answer = with_.rules.remote->ask(attempt_, password_);
        is_unanswered_ = std::holds_alternative<remote_silence>(answer);
        if (auto* const accepted = std::get_if<remote_acceptance>(&answer)) {
            granted_ = std::move(*accepted);
            return permission::radius_principal(with_.rules.logins, attempt_.user,
                                                granted_->permissions, granted_->local_user,
                                                attempt_.peer);
        }
        return std::nullopt;
    }

    hash_place enter() {
        has_paid_ = true;
        return hash_place(places_);
    }

    const in_force& with_;
    hash_places& places_;
    const login_attempt& attempt_;
    std::string_view password_;
    std::optional<remote_acceptance> granted_;
    bool is_unanswered_ = false;
    bool has_paid_ = false;
};

ordered_authenticator::ordered_authenticator(login_rules rules, report accepted_remotely)
    : accepted_remotely_(std::move(accepted_remotely)), places_(std::make_unique<hash_places>()) {
    replace(std::move(rules));
}

ordered_authenticator::~ordered_authenticator() = default;

void ordered_authenticator::replace(login_rules rules) {
    auto fresh = std::make_shared<const in_force>(std::move(rules));
    const std::lock_guard lock(mutex_);
    rules_.swap(fresh);
}

std::shared_ptr<const ordered_authenticator::in_force> ordered_authenticator::current() const {
    const std::lock_guard lock(mutex_);
    return rules_;
}

std::uint64_t ordered_authenticator::hash_computations() const {
    return current()->checker.computations();
}

std::optional<permission::principal>
ordered_authenticator::check_password(const login_attempt& attempt, std::string_view password) {
    const auto rules = current();
    decision about(*rules, *places_, attempt, password);
    auto who = about.take();
    if (who && about.granted() && accepted_remotely_)
        accepted_remotely_({*who, *about.granted()});
    who = admit(std::move(who));
    if (!who)
        about.pay();
    return who;
}

bool ordered_authenticator::accepts_key(const login_attempt& attempt,
                                        const permission::public_key& key) {
    return check_key(attempt, key).has_value();
}

std::optional<permission::principal>
ordered_authenticator::check_key(const login_attempt& attempt, const permission::public_key& key) {
    return admit(
        permission::authenticate_key(current()->rules.logins, attempt.user, key, attempt.peer));
}

} // namespace flowtap::transport
