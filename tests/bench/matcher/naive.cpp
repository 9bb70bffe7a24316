// SPDX-License-Identifier: Apache-2.0
// The definitions, asked for every filter and packet.
#include <array>

#include "side.hpp"

namespace flowtap::bench {

namespace {

class naive_side final : public side {
public:
    explicit naive_side(const workload& load) : load_(load) {}

    void match(std::size_t first, std::size_t count) override {
        for (std::size_t i = 0; i < count; ++i) {
            numbers_[i].clear();
            for (std::size_t j = 0; j < load_.filters.size(); ++j) {
                if (filter::matches(load_.filters[j], load_.keys[first + i]))
                    numbers_[i].push_back(static_cast<std::uint32_t>(j));
            }
        }
    }
    void found(std::size_t index, std::vector<std::uint32_t>& numbers) const override {
        numbers = numbers_[index];
    }

private:
    const workload& load_;
    std::array<std::vector<std::uint32_t>, batch> numbers_;
};

} // namespace

std::unique_ptr<side> make_naive(const workload& load, std::string_view name) {
    return name == "naive" ? std::make_unique<naive_side>(load) : nullptr;
}

} // namespace flowtap::bench
