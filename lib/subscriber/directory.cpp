// SPDX-License-Identifier: Apache-2.0
#include <flowtap/subscriber/directory.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include "chain_index.hpp"
#include "traits.hpp"

namespace flowtap::subscriber {

namespace {

/// A prefix without its host bits.
struct block {
    ip_address first;
    std::uint8_t length = 0;

    friend bool operator==(const block&, const block&) = default;
};

struct block_hash {
    std::size_t operator()(const block& of) const noexcept {
        constexpr std::uint64_t spread = 0x9E3779B97F4A7C15U;
        const address_bits bits = of.first.bits();
        std::uint64_t mixed = (bits.high ^ of.length) * spread;
        mixed = (mixed ^ (mixed >> 32U) ^ bits.low) * spread;
        return mixed ^ (mixed >> 29U);
    }
};

using text_index = chain_index<std::string, text_hash>;
using block_index = chain_index<block, block_hash>;

block block_of(const ip_prefix& prefix) {
    return {prefix.first(), prefix.length};
}

bool is_valid(const session_record& session) {
    const auto is_short = [](const std::string& text) { return text.size() <= longest_text; };
    const bool short_texts = std::all_of(text_traits.begin(), text_traits.end(), [&](auto trait) {
        return is_short(text_of(session, trait));
    });
    return short_texts && is_short(session.identity.element) &&
           is_short(session.routing_instance) && is_short(session.logical_system) &&
           !session.identity.accounting_session.empty() &&
           session.addresses.size() <= most_addresses;
}

/// One text for an identity. A zero never stands in an element's name that is an address.
std::string joined(const session_identity& identity) {
    std::string text;
    text.reserve(identity.element.size() + identity.accounting_session.size() + 1);
    return text.append(identity.element).append(1, '\0').append(identity.accounting_session);
}

/// Of how many prefixes of each length there are: an address is looked for in those alone.
using length_counts = std::array<std::array<std::uint32_t, 129>, 2>;

} // namespace

struct directory::state {
    std::size_t most = 0;
    std::size_t size = 0;
    std::vector<session_record> records;
    std::vector<std::uint32_t> free;
    std::unordered_map<std::string, std::uint32_t, text_hash, std::equal_to<>> identities;
    text_index elements;
    std::array<text_index, text_traits.size()> texts;
    /// The numbers in it are those of sessions times `most_addresses`, plus the place among their
    /// addresses.
    block_index blocks;
    length_counts lengths{};

    void index(std::uint32_t number);
    void unindex(std::uint32_t number);
    std::vector<session_ref> find_address(const ip_address& address) const;
};

void directory::state::index(std::uint32_t number) {
    const session_record& session = records[number];
    for (std::size_t i = 0; i < text_traits.size(); ++i)
        if (const std::string& text = text_of(session, text_traits[i]); !text.empty())
            texts[i].insert(number, text);
    for (std::size_t i = 0; i < session.addresses.size(); ++i) {
        const block key = block_of(session.addresses[i]);
        blocks.insert(static_cast<std::uint32_t>(number * most_addresses + i), key);
        ++lengths[static_cast<std::size_t>(key.first.ip_family())][key.length];
    }
}

void directory::state::unindex(std::uint32_t number) {
    const session_record& session = records[number];
    for (std::size_t i = 0; i < text_traits.size(); ++i)
        if (const std::string& text = text_of(session, text_traits[i]); !text.empty())
            texts[i].erase(number, text);
    for (std::size_t i = 0; i < session.addresses.size(); ++i) {
        const block key = block_of(session.addresses[i]);
        blocks.erase(static_cast<std::uint32_t>(number * most_addresses + i), key);
        --lengths[static_cast<std::size_t>(key.first.ip_family())][key.length];
    }
}

std::vector<session_ref> directory::state::find_address(const ip_address& address) const {
    std::vector<session_ref> found;
    const auto& counts = lengths[static_cast<std::size_t>(address.ip_family())];
    for (std::size_t length = 0; length <= 8 * address.size(); ++length) {
        if (counts[length] == 0)
            continue;
        const ip_prefix around{address, static_cast<std::uint8_t>(length)};
        for (std::uint32_t at = blocks.first(block_of(around)); at != block_index::none;
             at = blocks.next(at))
            found.emplace_back(static_cast<std::uint32_t>(at / most_addresses));
    }
    // A session may have two prefixes around one address.
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

directory::directory(std::size_t limit) : state_(std::make_unique<state>()) {
    state_->most = limit;
}

directory::~directory() = default;
directory::directory(directory&&) noexcept = default;
directory& directory::operator=(directory&&) noexcept = default;

result<session_ref> directory::put(session_record what) {
    if (!is_valid(what))
        return fail(errc::invalid_session);
    const auto known = state_->identities.find(joined(what.identity));
    if (known != state_->identities.end()) {
        state_->unindex(known->second);
        state_->records[known->second] = std::move(what);
        state_->index(known->second);
        return session_ref(known->second);
    }
    if (state_->size >= state_->most)
        return fail(errc::too_many_sessions);
    auto number = static_cast<std::uint32_t>(state_->records.size());
    if (state_->free.empty()) {
        state_->records.emplace_back();
    } else {
        number = state_->free.back();
        state_->free.pop_back();
    }
    state_->identities.emplace(joined(what.identity), number);
    state_->elements.insert(number, what.identity.element);
    state_->records[number] = std::move(what);
    state_->index(number);
    ++state_->size;
    return session_ref(number);
}

void directory::erase(session_ref which) {
    const std::uint32_t number = which.value();
    state_->unindex(number);
    state_->elements.erase(number, state_->records[number].identity.element);
    state_->identities.erase(joined(state_->records[number].identity));
    state_->records[number] = {};
    state_->free.push_back(number);
    --state_->size;
}

void directory::limit(std::size_t sessions) noexcept {
    state_->most = sessions;
}

std::optional<session_ref> directory::find(const session_identity& identity) const {
    const auto found = state_->identities.find(joined(identity));
    if (found == state_->identities.end())
        return std::nullopt;
    return session_ref(found->second);
}

std::vector<session_ref> directory::find(tap::session_trait by, std::string_view value) const {
    std::vector<session_ref> found;
    if (by == tap::session_trait::address) {
        if (const auto address = parse_ip_address(value))
            found = state_->find_address(*address);
        return found;
    }
    const auto place = std::find(text_traits.begin(), text_traits.end(), by) - text_traits.begin();
    const text_index& texts = state_->texts[static_cast<std::size_t>(place)];
    for (std::uint32_t at = texts.first(value); at != text_index::none; at = texts.next(at))
        found.emplace_back(at);
    return found;
}

std::vector<session_ref> directory::find_element(std::string_view element) const {
    std::vector<session_ref> found;
    for (std::uint32_t at = state_->elements.first(element); at != text_index::none;
         at = state_->elements.next(at))
        found.emplace_back(at);
    return found;
}

const session_record& directory::at(session_ref which) const noexcept {
    return state_->records[which.value()];
}

std::size_t directory::size() const noexcept {
    return state_->size;
}

std::size_t directory::bound() const noexcept {
    return state_->records.size();
}

bool has_trait(const session_record& session, tap::session_trait by, std::string_view value) {
    if (value.empty())
        return false;
    if (by != tap::session_trait::address)
        return text_of(session, by) == value;
    const auto address = parse_ip_address(value);
    return address && std::any_of(session.addresses.begin(), session.addresses.end(),
                                  [&](const ip_prefix& one) { return one.contains(*address); });
}

} // namespace flowtap::subscriber
