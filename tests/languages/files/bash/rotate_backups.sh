#!/usr/bin/env bash
set -euo pipefail

KEEP=7

# Deletes the oldest archives until the backup disk has room again.
prune_archives() {
    local folder=$1
    ls -1t "$folder"/*.tar.zst | tail -n +"$((KEEP + 1))" | while read -r archive; do
        rm -f -- "$archive"
    done
}

function write_archive {
    tar --zstd -cf "$1/$(date +%F).tar.zst" "$2"
}

write_archive /backup /srv
prune_archives /backup
