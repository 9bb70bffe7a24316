// SPDX-License-Identifier: Apache-2.0
//
// Any octets as what somebody types: first as commands of a script, then as keys of a terminal.
// Nothing that a person without flow-tap permissions does may change, or show, the flow-tap
// hierarchies, and what is in force can always be read again.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/cli/session.hpp>
#include <flowtap/cli/terminal.hpp>
#include <flowtap/config/tree.hpp>

namespace cli = flowtap::cli;
namespace config = flowtap::config;
namespace permission = flowtap::permission;

namespace {

class store final : public cli::environment {
public:
    store()
        : now_(std::make_shared<config::tree>(
              config::parse_tree(
                  "system { host-name h; login { class c { permissions view; } user u "
                  "{ class c; } } } interfaces { ge-0/0/0 { unit 0 { family inet; } } "
                  "} services { flow-tap { control-source s { dtcp-key hidden; } } }")
                  .statements)) {}

    std::shared_ptr<const config::tree> committed() const override { return now_; }
    flowtap::result<config::tree> earlier(unsigned number) const override {
        // Long ago nothing was hidden, because there was nothing.
        return number == 1 ? config::tree{} : *now_;
    }
    flowtap::result<std::vector<std::string>> commit(const config::tree& next,
                                                     const permission::principal&) override {
        if (config::to_set_commands(next).find(
                "set services flow-tap control-source s dtcp-key hidden") == std::string::npos ||
            !config::parse_tree(config::to_text(next)).errors.empty())
            std::abort();
        now_ = std::make_shared<config::tree>(next);
        return std::vector<std::string>{};
    }
    std::string show(cli::report) const override { std::abort(); }
    std::array<std::byte, 4> salt() override { return {}; }

private:
    std::shared_ptr<const config::tree> now_;
};

void check(std::string_view shown) {
    if (shown.find("dtcp-key") != std::string_view::npos)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    // What somebody types may be shown again.
    if (text.find("dtcp") != std::string_view::npos)
        return 0;
    const permission::principal who{
        "ann", permission::permission_set::parse("admin-control system-control interface-control "
                                                 "firewall-control routing-control configure")};
    store around;
    cli::session script(who, around, cli::session::style::batch);
    script.run("configure");
    for (const std::string_view line : cli::split_commands(text)) {
        check(cli::help_text(script.complete(line)));
        const cli::reply done = script.run(line);
        check(done.output);
        check(done.error);
    }

    cli::session typed(who, around, cli::session::style::interactive);
    cli::terminal screen(typed, 20 + static_cast<std::uint32_t>(size % 80), 5);
    screen.start();
    screen.feed("configure\r");
    for (std::size_t at = 0; at < text.size() && !screen.is_over(); at += 7) {
        screen.feed(text.substr(at, 7));
        check(screen.output());
        screen.take(screen.output().size());
    }
    return 0;
}
