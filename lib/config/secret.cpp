// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include <flowtap/config/secret.hpp>

namespace flowtap::config {

namespace {

// The scheme as observed: each octet becomes two to four letters. Their distances from letter to
// letter along one alphabet, weighted, add up to the octet; the weights change with the octet's
// place. Before them stand a first letter and up to three letters that mean nothing.

constexpr std::string_view prefix = "$9$";

/// The alphabet, in four families; a first letter of family i is followed by 3 - i idle letters.
constexpr std::array<std::string_view, 4> families = {"QzF3n6/9CAtpu0O", "B1IREhcSyrleKvMW8LXx",
                                                      "7N-dVbwsY2g4oaJZGUDj", "iHkq.mPf5T"};

constexpr std::string_view letters =
    "QzF3n6/9CAtpu0OB1IREhcSyrleKvMW8LXx7N-dVbwsY2g4oaJZGUDjiHkq.mPf5T";

constexpr std::array<unsigned, 3> weights_0 = {1, 4, 32};
constexpr std::array<unsigned, 3> weights_1 = {1, 16, 32};
constexpr std::array<unsigned, 3> weights_2 = {1, 8, 32};
constexpr std::array<unsigned, 2> weights_3 = {1, 64};
constexpr std::array<unsigned, 2> weights_4 = {1, 32};
constexpr std::array<unsigned, 4> weights_5 = {1, 4, 16, 128};
constexpr std::array<unsigned, 3> weights_6 = {1, 32, 64};

/// The weights of the letters that stand for the octet at a place.
std::span<const unsigned> weights_at(std::size_t place) noexcept {
    static constexpr std::array<std::span<const unsigned>, 7> weights = {
        weights_0, weights_1, weights_2, weights_3, weights_4, weights_5, weights_6};
    return weights[place % weights.size()];
}

std::size_t idle_letters_after(char first) noexcept {
    for (std::size_t i = 0; i < families.size(); ++i)
        if (families[i].find(first) != std::string_view::npos)
            return 3 - i;
    return 0;
}

} // namespace

bool is_obscured(std::string_view text) noexcept {
    return text.starts_with(prefix);
}

result<std::string> reveal_secret(std::string_view text) {
    if (!is_obscured(text))
        return std::string(text);
    text.remove_prefix(prefix.size());
    if (text.empty() || letters.find(text.front()) == std::string_view::npos)
        return fail(errc::invalid_secret);
    std::size_t before = letters.find(text.front());
    const std::size_t idle = idle_letters_after(text.front());
    if (text.size() < 1 + idle)
        return fail(errc::invalid_secret);
    text.remove_prefix(1 + idle);

    std::string secret;
    while (!text.empty()) {
        const auto weights = weights_at(secret.size());
        if (text.size() < weights.size())
            return fail(errc::invalid_secret);
        unsigned octet = 0;
        for (std::size_t i = 0; i < weights.size(); ++i) {
            const std::size_t place = letters.find(text[i]);
            if (place == std::string_view::npos)
                return fail(errc::invalid_secret);
            const std::size_t distance = (place + 2 * letters.size() - before - 1) % letters.size();
            octet += static_cast<unsigned>(distance) * weights[i];
            before = place;
        }
        secret += static_cast<char>(static_cast<unsigned char>(octet % 256));
        text.remove_prefix(weights.size());
    }
    return secret;
}

std::string obscure_secret(std::string_view secret, byte_view random) {
    const auto random_letter = [&](std::size_t place) {
        const unsigned octet = place < random.size() ? std::to_integer<unsigned>(random[place]) : 0;
        return letters[octet % letters.size()];
    };
    std::string text(prefix);
    const char first = random_letter(0);
    text += first;
    for (std::size_t i = 1; i <= idle_letters_after(first); ++i)
        text += random_letter(i);

    std::size_t before = letters.find(first);
    for (std::size_t place = 0; place < secret.size(); ++place) {
        const auto weights = weights_at(place);
        unsigned left = static_cast<unsigned char>(secret[place]);
        std::array<unsigned, 4> distances{};
        for (std::size_t i = weights.size(); i-- > 0;) {
            distances[i] = left / weights[i];
            left %= weights[i];
        }
        for (std::size_t i = 0; i < weights.size(); ++i) {
            before = (before + distances[i] + 1) % letters.size();
            text += letters[before];
        }
    }
    return text;
}

} // namespace flowtap::config
