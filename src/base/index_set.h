// A set of small integers as bits: which types, offerings or nodes are still possible. Sets that meet in an
// operation have the same size. A value type; any thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace joiner {

class IndexSet {
  public:
    static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

    IndexSet() = default;
    explicit IndexSet(std::size_t size, bool full = false)
        : size_(size), words_((size + 63) / 64, full ? ~0ULL : 0) {
        trim();
    }

    std::size_t size() const { return size_; }
    bool test(std::size_t i) const { return (words_[i / 64] >> (i % 64)) & 1; }
    void set(std::size_t i) { words_[i / 64] |= 1ULL << (i % 64); }
    void reset(std::size_t i) { words_[i / 64] &= ~(1ULL << (i % 64)); }

    bool empty() const {
        for (const std::uint64_t w : words_) {
            if (w != 0) return false;
        }
        return true;
    }
    std::size_t count() const {
        std::size_t n = 0;
        for (const std::uint64_t w : words_) n += static_cast<std::size_t>(std::popcount(w));
        return n;
    }
    // The lowest member at or after `from`, or kNone.
    std::size_t next(std::size_t from = 0) const {
        if (from >= size_) return kNone;
        std::size_t w = from / 64;
        std::uint64_t bits = words_[w] & (~0ULL << (from % 64));
        while (bits == 0) {
            if (++w == words_.size()) return kNone;
            bits = words_[w];
        }
        return w * 64 + static_cast<std::size_t>(std::countr_zero(bits));
    }
    bool intersects(const IndexSet& other) const {
        for (std::size_t w = 0; w < words_.size(); ++w) {
            if ((words_[w] & other.words_[w]) != 0) return true;
        }
        return false;
    }
    IndexSet& operator&=(const IndexSet& other) {
        for (std::size_t w = 0; w < words_.size(); ++w) words_[w] &= other.words_[w];
        return *this;
    }
    IndexSet& operator|=(const IndexSet& other) {
        for (std::size_t w = 0; w < words_.size(); ++w) words_[w] |= other.words_[w];
        return *this;
    }
    friend IndexSet operator&(IndexSet a, const IndexSet& b) { return a &= b; }
    friend bool operator==(const IndexSet& a, const IndexSet& b) = default;

  private:
    void trim() {
        if (size_ % 64 != 0 && !words_.empty()) words_.back() &= (1ULL << (size_ % 64)) - 1;
    }

    std::size_t size_ = 0;
    std::vector<std::uint64_t> words_;
};

}  // namespace joiner
