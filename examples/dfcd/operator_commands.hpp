// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <flowtap/cli/environment.hpp>
#include <flowtap/config/configuration.hpp>
#include <flowtap/permission/principal.hpp>

#include "configuration_store.hpp"

namespace dfcd {

/// What dfcd does for the sessions of its command line.
class operator_commands final : public flowtap::cli::environment {
public:
    /// What is done to what is running.
    struct service {
        /// Whether a configuration can be put in force by somebody; says so in the audit log.
        std::function<flowtap::result<void>(const flowtap::config::configuration&,
                                            const flowtap::permission::principal&)>
            admit;
        /// Says in the audit log that it was not, after all.
        std::function<void(const flowtap::permission::principal&)> withdraw;
        /// Puts it in force. What an operator is to know of that.
        std::function<std::vector<std::string>(const flowtap::config::configuration&)> apply;
        std::function<std::string(flowtap::cli::report)> show;
    };

    operator_commands(std::string file, flowtap::config::tree in_force, service served);

    std::shared_ptr<const flowtap::config::tree> committed() const override;
    flowtap::result<flowtap::config::tree> earlier(unsigned number) const override;
    flowtap::result<std::vector<std::string>>
    commit(const flowtap::config::tree& next, const flowtap::permission::principal& who) override;
    std::string show(flowtap::cli::report what) const override { return service_.show(what); }
    std::array<std::byte, 4> salt() override;

    /// Reads the file again and puts what it says in force; what is wrong with it is logged.
    void reload();

private:
    std::string file_;
    configuration_store store_;
    service service_;
};

} // namespace dfcd
