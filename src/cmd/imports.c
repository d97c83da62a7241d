#include "cmd/imports.h"

#include "base/clock.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    PART = 1 << 20
};

static enum err part_hash(crypto_generichash_state *hash, FILE *file, long at, size_t len)
{
    uint8_t *data = malloc(PART);
    if (!data)
        return ERR_NOMEM;
    bool whole = fseek(file, at, SEEK_SET) == 0 && fread(data, 1, len, file) == len;
    if (whole)
        crypto_generichash_update(hash, data, len);
    free(data);
    return whole ? OK : ERR_IO;
}

enum err import_identity(const char *path, uint8_t ret_digest[CATALOG_HASH], uint64_t *ret_size)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return ERR_NOTFOUND;
    FILE *file = fopen(path, "rb");
    if (!file)
        return ERR_IO;
    uint64_t size = (uint64_t)st.st_size;
    size_t len = size < PART ? (size_t)size : PART;
    crypto_generichash_state hash;
    crypto_generichash_init(&hash, NULL, 0, CATALOG_HASH);
    crypto_generichash_update(&hash, (const uint8_t *)&size, sizeof size);
    enum err e = part_hash(&hash, file, 0, len);
    if (!e)
        e = part_hash(&hash, file, (long)(size - len), len);
    fclose(file);
    if (e)
        return e;
    crypto_generichash_final(&hash, ret_digest, CATALOG_HASH);
    *ret_size = size;
    return OK;
}

void imports_leave_out(struct site_captures *captures, struct catalog *c,
    void (*note)(const char *site, const char *text))
{
    size_t kept = 0;
    for (size_t i = 0; i < captures->count; i++) {
        struct catalog_import before;
        uint8_t digest[CATALOG_HASH];
        uint64_t size;
        const char *path = captures->paths[i];
        if (import_identity(path, digest, &size) != OK ||
            catalog_import_find(c, captures->name, digest, &before) != OK) {
            captures->paths[kept++] = path;
            continue;
        }
        char text[700];
        char when[TIME_TEXT];
        snprintf(text, sizeof text,
            "%.400s is in the data folder since %s and is left out; --again reads it once more",
            path, time_format(time_floor(before.finished, US_SECOND), when));
        note(captures->name, text);
    }
    captures->count = kept;
}

static enum err note_one(
    struct catalog *c, const char *site, const char *path, int64_t now, struct fault *f)
{
    struct catalog_import i = {.finished = now};
    enum err e = import_identity(path, i.digest, &i.size);
    if (e)
        return e == ERR_NOTFOUND ? OK : fault_set(f, e, "%s: %s", path, err_text(e));
    snprintf(i.site, sizeof i.site, "%s", site);
    snprintf(i.file, sizeof i.file, "%s", path);
    e = catalog_import_add(c, &i, f);
    return e == ERR_EXISTS ? OK : e;
}

enum err imports_note(
    const struct site_list *list, struct catalog *c, int64_t now, struct fault *f)
{
    enum err e = OK;
    for (size_t i = 0; i < list->count && !e; i++)
        for (size_t k = 0; k < list->sites[i].count && !e; k++)
            e = note_one(c, list->sites[i].name, list->sites[i].paths[k], now, f);
    return e;
}
