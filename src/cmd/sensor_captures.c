#include "cmd/sensor_captures.h"

#include "base/clock.h"
#include "cmd/imports.h"
#include "cmd/reading_place.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    KNOWN_MAX = 1 << 20, /* captures that a folder remembers */
    HEX = 2 * CATALOG_HASH,
    LINE = HEX + 32 + 4200
};

struct known {
    char digest[HEX + 1];
    bool read;    /* else begun */
    bool now;     /* by this run */
    int64_t when; /* seconds: it was read; or it was begun */
    char *name;
};

struct sensor_captures {
    char path[4200];
    struct known *known;
    size_t count;
    struct reading_places places;
    char (*digests)[HEX + 1]; /* of the list; empty: it can be known by nothing, as a pipe */
    uint64_t spool;
    uint8_t set[PLACE_SET];
    bool placed; /* every capture of the set can be known again */
    uint64_t frames;
};

/* ---- the captures ---- */

static enum err io_fault(struct fault *f, const char *path)
{
    return fault_set(f, errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO, "%s: %s", path,
        strerror(errno));
}

static struct known *known_find(struct sensor_captures *c, const char *digest)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->known[i].digest, digest) == 0)
            return &c->known[i];
    return NULL;
}

static enum err known_add(struct sensor_captures *c, const struct known *k)
{
    if (c->count == KNOWN_MAX) { /* the one that was read first is forgotten */
        free(c->known[0].name);
        memmove(c->known, c->known + 1, --c->count * sizeof *c->known);
    }
    struct known *more = realloc(c->known, (c->count + 1) * sizeof *more);
    if (more)
        c->known = more;
    char *name = more ? strdup(k->name) : NULL;
    if (!name)
        return ERR_NOMEM;
    c->known[c->count] = *k;
    c->known[c->count++].name = name;
    return OK;
}

/* DIGEST read|begun SECONDS NAME */
static enum err line_read(struct sensor_captures *c, char *line)
{
    static const char begun[] = " begun ", read[] = " read ";
    struct known k = {0};
    line[strcspn(line, "\n")] = 0;
    if (strspn(line, "0123456789abcdef") != HEX)
        return ERR_BAD;
    memcpy(k.digest, line, HEX);
    char *at = line + HEX;
    k.read = strncmp(at, read, sizeof read - 1) == 0;
    if (!k.read && strncmp(at, begun, sizeof begun - 1) != 0)
        return ERR_BAD;
    at += k.read ? sizeof read - 1 : sizeof begun - 1;
    k.when = strtoll(at, &k.name, 10);
    if (k.name == at || *k.name != ' ' || k.when < 0 || k.when > INT64_MAX / US_SECOND)
        return ERR_BAD;
    k.name++;
    return known_add(c, &k);
}

static enum err known_read(struct sensor_captures *c, struct fault *f)
{
    FILE *file = fopen(c->path, "r");
    char line[LINE];
    enum err e = OK;
    if (!file)
        return errno == ENOENT ? OK : io_fault(f, c->path);
    for (size_t n = 1; !e && fgets(line, sizeof line, file); n++) {
        e = line_read(c, line);
        if (e == ERR_BAD)
            fault_set(f, e, "%s:%zu: no line of a list of captures", c->path, n);
        else if (e)
            fault_set(f, e, "out of memory");
    }
    fclose(file);
    return e;
}

static enum err known_write(const struct sensor_captures *c, struct fault *f)
{
    char fresh[4210];
    snprintf(fresh, sizeof fresh, "%s.new", c->path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!file)
        return io_fault(f, fresh);
    for (size_t i = 0; i < c->count; i++) {
        for (char *n = c->known[i].name; *n; n++)
            *n = *n == '\n' ? ' ' : *n; /* a line is one capture's */
        fprintf(file, "%s %s %" PRId64 " %s\n", c->known[i].digest,
            c->known[i].read ? "read" : "begun", c->known[i].when, c->known[i].name);
    }
    bool good = fflush(file) == 0 && fsync(fd) == 0;
    enum err e = good ? OK : io_fault(f, fresh);
    if (fclose(file) != 0 && !e)
        e = io_fault(f, fresh);
    if (!e && rename(fresh, c->path) != 0)
        e = io_fault(f, c->path);
    return e ? e : reading_places_folder_sync(c->places.folder, f);
}

enum err sensor_captures_settle(
    struct sensor_captures *c, const struct spool_counts *spool, struct fault *f)
{
    c->spool = spool->id;
    return reading_places_settle(&c->places, spool, f);
}

/* ---- begin and end ---- */

enum err sensor_captures_open(
    struct sensor_captures **ret_captures, const char *folder, struct fault *f)
{
    struct sensor_captures *c = calloc(1, sizeof *c);
    if (!c)
        return fault_set(f, ERR_NOMEM, "out of memory");
    snprintf(c->path, sizeof c->path, "%.4095s/captures", folder);
    enum err e = reading_places_open(&c->places, folder, f);
    if (!e)
        e = known_read(c, f);
    if (e)
        sensor_captures_close(c);
    else
        *ret_captures = c;
    return e;
}

void sensor_captures_close(struct sensor_captures *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++)
        free(c->known[i].name);
    free(c->known);
    free(c->digests);
    reading_places_close(&c->places);
    free(c);
}

/* Each capture is looked at once: what it is known by stays, should it be written to meanwhile.
 */
static enum err digests_make(
    struct sensor_captures *c, const struct capture_list *list, struct fault *f)
{
    c->digests = calloc(list->count + 1, sizeof *c->digests);
    if (!c->digests)
        return fault_set(f, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < list->count; i++) {
        uint8_t digest[CATALOG_HASH];
        uint64_t size;
        if (import_identity(list->paths[i], digest, &size) == OK)
            sodium_bin2hex(c->digests[i], HEX + 1, digest, sizeof digest);
    }
    return OK;
}

static int by_digest(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The name of a set does not depend on the order in which its captures are given. */
static enum err set_name(
    struct sensor_captures *c, const struct capture_list *list, struct fault *f)
{
    char(*all)[HEX + 1] = calloc(list->count + 1, sizeof *all);
    if (!all)
        return fault_set(f, ERR_NOMEM, "out of memory");
    c->placed = true;
    for (size_t i = 0; i < list->count; i++) {
        memcpy(all[i], c->digests[i], sizeof *all);
        c->placed = c->placed && all[i][0];
    }
    qsort(all, list->count, sizeof *all, by_digest);
    crypto_generichash_state hash;
    uint8_t name[crypto_generichash_BYTES];
    crypto_generichash_init(&hash, NULL, 0, sizeof name);
    for (size_t i = 0; i < list->count; i++)
        crypto_generichash_update(&hash, (const uint8_t *)all[i], HEX);
    crypto_generichash_final(&hash, name, sizeof name);
    memcpy(c->set, name, PLACE_SET);
    free(all);
    return OK;
}

static const char *time_of(const struct known *k, char text[TIME_TEXT])
{
    return time_format(k->when * US_SECOND, text);
}

/* Those that were read leave the list. */
static enum err read_leave(struct sensor_captures *c, struct capture_list *list,
    void (*known)(const char *text), struct fault *f)
{
    char when[TIME_TEXT], text[700];
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct known *k = known_find(c, c->digests[i]);
        if (!k || !k->read) {
            memmove(c->digests[kept], c->digests[i], sizeof *c->digests);
            list->paths[kept++] = list->paths[i];
            continue;
        }
        snprintf(text, sizeof text, "%.400s: was read and stored by the hub at %s",
            list->paths[i], time_of(k, when));
        if (list->count == 1) /* the fault says it */
            fault_set(f, ERR_EXISTS, "%s; --again sends it once more", text);
        else
            known(text);
        free(list->paths[i]);
    }
    bool one = list->count == 1;
    list->count = kept;
    if (kept)
        return OK;
    return one ? ERR_EXISTS
               : fault_set(f, ERR_EXISTS,
                     "all of these captures were read before; --again sends them once more");
}

/* Of captures that were begun the place must be known. */
static enum err begun_check(
    struct sensor_captures *c, const struct capture_list *list, struct fault *f)
{
    char when[TIME_TEXT];
    const struct reading_place *p =
        c->placed ? reading_places_find(&c->places, c->set, c->spool) : NULL;
    c->frames = 0;
    if (p) {
        c->frames = p->frames;
        return OK;
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct known *k = known_find(c, c->digests[i]);
        if (k && !k->read)
            return fault_set(f, ERR_EXISTS,
                "%.400s: its reading was begun at %s with other captures beside it, or another "
                "spool, and was interrupted: name the same captures to go on where it was; "
                "--again reads from the beginning, and what was sent is there twice",
                list->paths[i], time_of(k, when));
    }
    return OK;
}

/* All of the list is what the folder says of it from now on. */
static enum err list_mark(
    struct sensor_captures *c, const struct capture_list *list, struct fault *f)
{
    struct clock wall = clock_system();
    for (size_t i = 0; i < list->count; i++) {
        struct known fresh = {
            .now = true, .when = clock_now(&wall) / US_SECOND, .name = list->paths[i]};
        if (!c->digests[i][0])
            continue;
        memcpy(fresh.digest, c->digests[i], sizeof fresh.digest);
        struct known *k = known_find(c, fresh.digest);
        if (k) {
            k->read = false;
            k->now = true;
            k->when = fresh.when;
        } else if (known_add(c, &fresh) != OK)
            return fault_set(f, ERR_NOMEM, "out of memory");
    }
    return known_write(c, f);
}

static struct reading_place place_of(
    const struct sensor_captures *c, uint64_t entry, uint64_t frames)
{
    struct reading_place p = {.spool = c->spool, .entry = entry, .frames = frames};
    memcpy(p.set, c->set, PLACE_SET);
    return p;
}

enum err sensor_captures_begin(struct sensor_captures *c, struct capture_list *list, bool again,
    void (*known)(const char *text), struct fault *f)
{
    enum err e = digests_make(c, list, f);
    if (!e && !again)
        e = read_leave(c, list, known, f);
    if (!e)
        e = set_name(c, list, f);
    if (!e && !again)
        e = begun_check(c, list, f);
    struct reading_place p = place_of(c, 0, c->frames);
    bool there = c->frames && memcmp(c->places.now.set, p.set, PLACE_SET) == 0;
    if (!e && c->placed && !there)
        e = reading_places_put(&c->places, &p, f);
    return e ? e : list_mark(c, list, f);
}

static enum err on_entry(void *context, uint64_t number, uint64_t frames, struct fault *f)
{
    struct sensor_captures *c = context;
    struct reading_place p = place_of(c, number, frames);
    const struct reading_place *now = &c->places.now;
    /* Tried again on a full disk: the place before stays the one to go back to. */
    bool noted = now->spool == p.spool && now->entry == number && now->frames == frames &&
                 memcmp(now->set, p.set, PLACE_SET) == 0;
    return noted ? OK : reading_places_put(&c->places, &p, f);
}

struct collector_past sensor_captures_past(struct sensor_captures *c)
{
    return (struct collector_past){c->frames, c, c->placed ? on_entry : NULL};
}

enum err sensor_captures_end(struct sensor_captures *c, struct fault *f)
{
    struct clock wall = clock_system();
    for (size_t i = 0; i < c->count; i++) {
        if (!c->known[i].now)
            continue;
        c->known[i].read = true;
        c->known[i].when = clock_now(&wall) / US_SECOND;
    }
    enum err e = known_write(c, f);
    /* Nothing is left of the set that could be gone on with. */
    const struct reading_place none = {.spool = c->spool};
    return e || !c->placed ? e : reading_places_put(&c->places, &none, f);
}
