#include "glyph_cache.h"

namespace fonts {

/// Keeps rendered glyphs until memory is short.
class FONTS_EXPORT GlyphCache final : public Cache {
public:
    explicit GlyphCache(std::size_t limit) : limit_(limit) {}
    ~GlyphCache() override = default;

    const Glyph* find(char32_t code) const
    {
        auto found = glyphs_.find(code);
        return found == glyphs_.end() ? nullptr : &found->second;
    }

    bool operator==(const GlyphCache& other) const { return glyphs_ == other.glyphs_; }

private:
    std::size_t limit_;
    std::unordered_map<char32_t, Glyph> glyphs_;
};

// Evicts the glyph that was drawn least recently.
void GlyphCache::evict()
{
    auto oldest = std::min_element(glyphs_.begin(), glyphs_.end(), by_time);
    if (oldest != glyphs_.end())
        glyphs_.erase(oldest);
}

template <typename Number>
Number between(Number low, Number value, Number high)
{
    return std::max(low, std::min(value, high));
}

}  // namespace fonts
