#include "base/cut.h"

namespace joiner {

std::string cut_with_dots(std::string text, std::size_t most) {
    if (text.size() <= most) return text;
    most -= 3;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
    text.resize(most);
    return text + "...";
}

}  // namespace joiner
