// SPDX-License-Identifier: Apache-2.0
#include "host_key.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace flowtap::transport {

namespace {

class descriptor {
public:
    explicit descriptor(int number) : number_(number) {}
    ~descriptor() { close(); }
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;

    int number() const { return number_; }
    bool good() const { return number_ >= 0; }
    /// False when what was written did not reach the file.
    bool close() {
        const int closed = number_ >= 0 ? ::close(number_) : 0;
        number_ = -1;
        return closed == 0;
    }

private:
    int number_;
};

/// No key is longer.
constexpr std::size_t longest_key = 64UL * 1024;

std::optional<std::string> read_all(int file) {
    std::string text;
    std::array<char, 4096> piece{};
    for (;;) {
        const ssize_t count = ::read(file, piece.data(), piece.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 || text.size() > longest_key)
            return std::nullopt;
        if (count == 0)
            return text;
        text.append(piece.data(), static_cast<std::size_t>(count));
    }
}

bool write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = ::write(file, text.data(), text.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

result<key_handle> load(int file, const std::string& name) {
    struct stat about = {};
    if (::fstat(file, &about) != 0 || !S_ISREG(about.st_mode))
        return fail(errc::host_key_unreadable, name);
    if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return fail(errc::host_key_exposed, name);
    std::optional<std::string> text = read_all(file);
    if (!text)
        return fail(errc::host_key_unreadable, name);
    char* const secret = text->data();
    ssh_key key = nullptr;
    const int done = ssh_pki_import_privkey_base64(secret, nullptr, nullptr, nullptr, &key);
    ::explicit_bzero(secret, text->size());
    if (done != SSH_OK)
        return fail(errc::host_key_unreadable, name);
    return key_handle(key);
}

/// A new key in a file of its own beside `name`; the file's name.
std::optional<std::string> write_new_key(const std::string& name) {
    ssh_key made = nullptr;
    if (ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &made) != SSH_OK)
        return std::nullopt;
    const key_handle key(made);
    char* exported = nullptr;
    if (ssh_pki_export_privkey_base64(key.get(), nullptr, nullptr, nullptr, &exported) != SSH_OK)
        return std::nullopt;
    const text_handle text(exported);

    std::string temporary = name + ".XXXXXX";
    descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
    const std::string_view octets(exported);
    const bool written = file.good() && ::fchmod(file.number(), S_IRUSR | S_IWUSR) == 0 &&
                         write_all(file.number(), octets) && ::fsync(file.number()) == 0 &&
                         file.close();
    ::explicit_bzero(exported, octets.size());
    if (written)
        return temporary;
    ::unlink(temporary.c_str());
    return std::nullopt;
}

} // namespace

result<key_handle> load_or_make_host_key(const std::filesystem::path& file) {
    const std::string name = file.string();
    descriptor present(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
    if (present.good())
        return load(present.number(), name);
    if (errno != ENOENT)
        return fail(errc::host_key_unreadable, name);

    const std::optional<std::string> temporary = write_new_key(name);
    if (!temporary)
        return fail(errc::host_key_not_made, name);
    // A link never replaces a file: when another program was faster, its key is the one.
    const bool placed = ::link(temporary->c_str(), name.c_str()) == 0 || errno == EEXIST;
    ::unlink(temporary->c_str());
    if (!placed)
        return fail(errc::host_key_not_made, name);
    descriptor stored(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
    if (!stored.good())
        return fail(errc::host_key_not_made, name);
    return load(stored.number(), name);
}

std::string fingerprint_of(ssh_key key) {
    unsigned char* hash = nullptr;
    std::size_t length = 0;
    if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &length) != SSH_OK)
        return {};
    const text_handle text(ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, length));
    ssh_clean_pubkey_hash(&hash);
    return text ? std::string(text.get()) : std::string();
}

} // namespace flowtap::transport
