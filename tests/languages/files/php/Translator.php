<?php

declare(strict_types=1);

namespace Site\Text;

interface Speaks
{
    public function phrase(string $key, string $language): string;
}

/** Phrases in several languages. */
final class Translator implements Speaks
{
    private array $phrases = [];

    public function __construct(array $phrases)
    {
        $this->phrases = $phrases;
    }

    /** Falls back to English when a phrase is not translated. */
    public function phrase(string $key, string $language): string
    {
        return $this->phrases[$language][$key] ?? $this->phrases['en'][$key];
    }
}

trait Cached
{
    public function forget(): void
    {
        unset($this->cache);
    }
}

function plural(int $count): string
{
    return $count === 1 ? 'one' : 'other';
}
