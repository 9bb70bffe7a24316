// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target once over every file of the directories and over the files named as
// arguments, without libFuzzer: a corpus and every input that once crashed stay tests with any
// compiler. Also tries each input cut short at every octet, where truncation hides.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

/// Inputs longer than this are not cut at every octet but at this many places.
constexpr std::size_t most_cuts = 512;

std::vector<std::uint8_t> read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<fs::path> files_under(const fs::path& path) {
    std::vector<fs::path> files;
    if (fs::is_directory(path)) {
        for (const auto& entry : fs::recursive_directory_iterator(path))
            if (entry.is_regular_file())
                files.push_back(entry.path());
        std::sort(files.begin(), files.end());
    } else {
        files.push_back(path);
    }
    return files;
}

/// The target gets a buffer of exactly the right size, so that a sanitizer sees any octet read past
/// the end.
void run(const std::vector<std::uint8_t>& input, std::size_t size) {
    const auto exact = std::make_unique<std::uint8_t[]>(size);
    std::copy_n(input.begin(), size, exact.get());
    LLVMFuzzerTestOneInput(exact.get(), size);
}

void replay(const fs::path& path) {
    const std::vector<std::uint8_t> input = read_file(path);
    const std::size_t step = input.size() / most_cuts + 1;
    for (std::size_t size = 0; size < input.size(); size += step)
        run(input, size);
    run(input, input.size());
}

} // namespace

int main(int count, char** arguments) {
    std::size_t replayed = 0;
    for (int index = 1; index < count; ++index) {
        for (const fs::path& path : files_under(arguments[index])) {
            // Named before it runs: after a crash the last line names the input.
            std::printf("%s\n", path.c_str());
            std::fflush(stdout);
            replay(path);
            ++replayed;
        }
    }
    if (replayed == 0)
        std::printf("no input to replay\n");
    return replayed == 0 ? 1 : 0;
}
