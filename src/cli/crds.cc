#include <cstdio>

#include "cli/commands.h"
#include "embedded_crds.h"

namespace joiner::cli {

int run_crds() {
    for (const auto& file : embedded::crds()) {
        if (!file.text.starts_with("---")) std::fputs("---\n", stdout);
        std::fwrite(file.text.data(), 1, file.text.size(), stdout);
    }
    return 0;
}

}  // namespace joiner::cli
