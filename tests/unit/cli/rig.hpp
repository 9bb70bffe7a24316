// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <flowtap/cli/session.hpp>
#include <flowtap/config/load.hpp>

namespace flowtap::cli {

/// A configuration in which every part that has a permission of its own says something.
inline constexpr std::string_view lab_text = R"(system {
    host-name iap;
    login {
        class ft-class { permissions flow-tap-operation; }
        class desk { permissions [ view configure ]; }
        user bob { class desk; authentication { encrypted-password "*bob"; } }
        user md1 { class ft-class; authentication { encrypted-password "*tap"; } }
    }
    authentication-order [ radius password ];
    radius-server { 192.0.2.10 { secret "$9$JWZHmfQnCA0PfIcrlMW4aZjPfT39"; } }
    services { flow-tap-dtcp { ssh { rate-limit 5; } } }
}
interfaces {
    ge-0/0/0 { unit 0 { family inet; } }
    vt-0/0/0 { unit 0 { family inet; family inet6; } }
}
routing-instances { cust-a { instance-type vrf; interface ge-0/0/0.0; } }
services {
    flow-tap {
        tunnel-interface vt-0/0/0.0;
        family inet;
        control-source md1 { dtcp-key topsecret; filter-limit 40; }
    }
}
firewall { filter f { term t { then accept; } } }
)";

/// An environment whose commits are kept in memory.
class memory_environment final : public environment {
public:
    explicit memory_environment(std::string_view text = lab_text)
        : versions_{std::make_shared<config::tree>(config::parse_tree(text).statements)} {}

    std::shared_ptr<const config::tree> committed() const override { return versions_.back(); }

    result<config::tree> earlier(unsigned number) const override {
        if (number >= versions_.size())
            return fail(error{std::make_error_code(std::errc::no_such_file_or_directory), {}});
        return *versions_[versions_.size() - 1 - number];
    }

    result<std::vector<std::string>> commit(const config::tree& next,
                                            const permission::principal& who) override {
        if (is_full)
            return fail(error{std::make_error_code(std::errc::no_space_on_device), "iap.conf"});
        committers.push_back(who.name);
        versions_.push_back(std::make_shared<config::tree>(next));
        return notes;
    }

    std::string show(report what) const override {
        return what == report::status ? "criteria: 3\n" : "seen: 10\ncopied: 2\n";
    }

    std::array<std::byte, 4> salt() override { return {}; }

    /// What is in force, as commands.
    std::string in_force() const { return to_set_commands(*committed()); }

    std::vector<std::string> committers;
    std::vector<std::string> notes;
    bool is_full = false;

private:
    std::vector<std::shared_ptr<const config::tree>> versions_;
};

inline permission::principal person(std::string_view permissions, std::string name = "ann") {
    return {std::move(name), permission::permission_set::parse(permissions)};
}

/// A session and what is around it.
struct rig {
    explicit rig(std::string_view permissions, std::string_view text = lab_text)
        : around(text), session(person(permissions), around, session::style::batch) {}

    /// What a line prints, or why it failed.
    std::string run(std::string_view line) {
        const reply done = session.run(line);
        return done.ok() ? done.output : done.output + done.error + '\n';
    }
    /// The same of the last of several lines.
    std::string run_all(std::string_view lines) {
        std::string last;
        for (const std::string_view line : split_commands(lines))
            last = run(line);
        return last;
    }
    /// The words that can come.
    std::string offered(std::string_view line) {
        std::string words;
        for (const choice& each : session.complete(line).choices)
            words += (words.empty() ? "" : " ") + each.word;
        return words;
    }

    memory_environment around;
    cli::session session;
};

} // namespace flowtap::cli
