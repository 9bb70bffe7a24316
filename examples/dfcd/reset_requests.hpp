// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <flowtap/config/configuration.hpp>
#include <flowtap/core/result.hpp>

#include "options.hpp"

namespace dfcd {

/// What operators ask a running dfcd to forget: an empty file for each control source, beside the
/// file of sequence numbers. It goes when that is done; what stands in it then is why it was not.
class reset_requests {
public:
    explicit reset_requests(const std::string& sequence_file)
        : prefix_(sequence_file + ".reset-") {}

    flowtap::result<void> leave(std::string_view source) const;
    /// Nothing there: it was done, or withdrawn.
    bool is_there(std::string_view source) const;
    bool is_refused(std::string_view source) const;
    void withdraw(std::string_view source) const;
    void refuse(std::string_view source) const;
    /// The control sources of all requests that are not refused.
    std::vector<std::string> waiting() const;

private:
    std::string path_of(std::string_view source) const;

    std::string prefix_;
};

/// `--reset-sequence`: forgets the sequence number of a control source, in the file or, where a
/// dfcd has it open, by asking that. Says on standard output what was done, or on standard error
/// why not. Returns the exit status: 0 or 1.
int reset_sequence(const options& chosen, const std::string& source,
                   const flowtap::config::configuration& with);

} // namespace dfcd
