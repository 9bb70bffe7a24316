// SPDX-License-Identifier: Apache-2.0
//
// Any octets as a configuration: they are read or refused; what was read is printed in a form that
// is read back as the same; and the check of the statements never fails.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <flowtap/config/load.hpp>
#include <flowtap/config/tree.hpp>

namespace config = flowtap::config;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto parsed = config::parse_tree(text);

    const auto again = config::parse_tree(config::to_text(parsed.statements));
    if (!again.errors.empty() || again.statements != parsed.statements)
        std::abort();

    const auto loaded = config::load(text, "input");
    if (loaded.ok() && !parsed.errors.empty())
        std::abort();
    return 0;
}
