// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include <crypt.h>

#include <flowtap/permission/password.hpp>

namespace flowtap::permission {

namespace {

/// Schemes whose hashes are computed. Traditional DES and MD5 are not among them.
constexpr std::array<std::string_view, 7> accepted_schemes = {"$6$", "$5$",  "$y$", "$gy$",
                                                              "$7$", "$2b$", "$2y$"};

constexpr std::string_view default_dummy = "$6$flowtapdummysalt$";

/// crypt(3)'s work area, 32 KiB, wiped when it goes.
class work_area {
public:
    work_area() : data_(std::make_unique<crypt_data>()) {}
    work_area(const work_area&) = delete;
    work_area& operator=(const work_area&) = delete;
    ~work_area() { explicit_bzero(data_.get(), sizeof(crypt_data)); }

    /// Null when the setting is malformed.
    const char* hash(const char* password, const char* setting) {
        const char* made = crypt_r(password, setting, data_.get());
        return made == nullptr || made[0] == '*' ? nullptr : made;
    }

private:
    std::unique_ptr<crypt_data> data_;
};

/// A terminated copy of a password, wiped when it goes.
class password_copy {
public:
    explicit password_copy(std::string_view password) {
        std::copy(password.begin(), password.end(), text_.begin());
    }
    password_copy(const password_copy&) = delete;
    password_copy& operator=(const password_copy&) = delete;
    ~password_copy() { explicit_bzero(text_.data(), text_.size()); }

    const char* data() const noexcept { return text_.data(); }

private:
    std::array<char, max_password_length + 1> text_{};
};

/// Compares without telling by its time where the texts differ.
bool same_text(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size())
        return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
    return difference == 0;
}

bool is_possible_password(std::string_view password) noexcept {
    return password.size() <= max_password_length && password.find('\0') == std::string_view::npos;
}

/// Whether crypt(3) can compute with the setting that `hash` starts with.
bool can_compute(const std::string& hash) {
    return work_area().hash("", hash.c_str()) != nullptr;
}

} // namespace

bool is_locked_hash(std::string_view hash) noexcept {
    return hash.empty() || hash.front() == '*' || hash.front() == '!';
}

bool is_usable_hash(std::string_view hash) noexcept {
    const auto starts_hash = [&](std::string_view scheme) { return hash.starts_with(scheme); };
    const auto* scheme =
        std::find_if(accepted_schemes.begin(), accepted_schemes.end(), starts_hash);
    if (scheme == accepted_schemes.end() || hash.size() >= CRYPT_OUTPUT_SIZE)
        return false;
    // The hash itself follows the last `$`; bcrypt's has no `$` between salt and hash.
    const std::size_t last = hash.rfind('$');
    const bool has_hash = last >= scheme->size() && hash.size() - last > 20;
    const bool printable = std::all_of(hash.begin(), hash.end(), [](char letter) {
        return letter > ' ' && letter < '\x7F' && letter != ':' && letter != '\\';
    });
    return has_hash && printable;
}

password_checker::password_checker() : dummy_(default_dummy) {}

password_checker::password_checker(std::string_view like) : dummy_(default_dummy) {
    if (is_usable_hash(like) && can_compute(std::string(like)))
        dummy_ = like;
}

bool password_checker::check(std::string_view password, std::string_view hash) const {
    const bool possible = is_possible_password(password) && is_usable_hash(hash);
    const password_copy copy(is_possible_password(password) ? password : std::string_view());
    const std::string setting(possible ? hash : std::string_view(dummy_));

    work_area area;
    computations_.fetch_add(1);
    const char* made = area.hash(copy.data(), setting.c_str());
    if (made == nullptr && possible) {
        // crypt(3) refused at once; do the work that any other refusal does.
        area.hash(copy.data(), dummy_.c_str());
        return false;
    }
    return possible && made != nullptr && same_text(made, hash);
}

result<std::string> hash_password(std::string_view password, std::string_view scheme,
                                  byte_view random) {
    if ((scheme != "$6$" && scheme != "$y$") || random.size() < 16)
        return fail(errc::unknown_hash_scheme, std::string(scheme));
    if (!is_possible_password(password))
        return fail(errc::password_too_long);

    std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
    const std::string prefix(scheme);
    const std::string octets(reinterpret_cast<const char*>(random.data()), random.size());
    if (crypt_gensalt_rn(prefix.c_str(), 0, octets.data(), static_cast<int>(octets.size()),
                         setting.data(), static_cast<int>(setting.size())) == nullptr)
        return fail(errc::unknown_hash_scheme, prefix);

    const password_copy copy(password);
    work_area area;
    const char* made = area.hash(copy.data(), setting.data());
    if (made == nullptr)
        return fail(errc::unknown_hash_scheme, prefix);
    return std::string(made);
}

} // namespace flowtap::permission
