// SPDX-License-Identifier: Apache-2.0
#include "operator_commands.hpp"

#include <utility>

#include <flowtap/config/load.hpp>
#include <flowtap/crypto/digest.hpp>

#include "error.hpp"
#include "log.hpp"

namespace dfcd {

namespace config = flowtap::config;

operator_commands::operator_commands(std::string file, config::tree in_force, service served)
    : file_(file), store_(std::move(file), std::move(in_force)), service_(std::move(served)) {}

std::shared_ptr<const config::tree> operator_commands::committed() const {
    return store_.in_force();
}

flowtap::result<config::tree> operator_commands::earlier(unsigned number) const {
    return store_.earlier(number);
}

flowtap::result<std::vector<std::string>>
operator_commands::commit(const config::tree& next, const flowtap::permission::principal& who) {
    const config::loaded read = config::load(next, file_);
    if (const auto admitted = service_.admit(read.settings, who); !admitted)
        return flowtap::fail(admitted.error());
    if (const auto put = store_.put(next); !put) {
        service_.withdraw(who);
        return flowtap::fail(put.error());
    }
    return service_.apply(read.settings);
}

std::array<std::byte, 4> operator_commands::salt() {
    std::array<std::byte, 4> octets{};
    flowtap::crypto::fill_random(octets);
    return octets;
}

void operator_commands::reload() {
    config::loaded read = config::load_file(file_);
    if (!read.ok()) {
        log("the configuration stays as it is: the file cannot be used (dfcd --check says why)");
        return;
    }
    if (read.statements == *store_.in_force())
        return;
    if (const auto admitted = service_.admit(read.settings, {}); !admitted) {
        log("the configuration stays as it is: {}", admitted.error().message());
        return;
    }
    store_.adopt(std::move(read.statements));
    for (const std::string& note : service_.apply(read.settings))
        log("{}", note);
    log("the configuration was read again");
}

} // namespace dfcd
