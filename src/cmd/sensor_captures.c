#include "cmd/sensor_captures.h"

#include "base/clock.h"
#include "cmd/imports.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum {
    KNOWN_MAX = 1 << 20, /* captures that a folder remembers */
    HEX = 2 * CATALOG_HASH,
    LINE = HEX + 32 + 4200,
    SET = 8 /* bytes of what a set of captures is known by */
};

struct known {
    char digest[HEX + 1];
    bool read;    /* else begun */
    bool now;     /* by this run */
    int64_t when; /* seconds: it was read; or it was begun */
    char *name;
};

/* How far a set of captures is: written twice in turn, so that one is always whole. */
struct place {
    uint64_t turn; /* the higher one is the newer; 0: none */
    uint8_t set[SET];
    uint64_t spool;  /* identity of the spool */
    uint64_t entry;  /* in which the last of the frames are; 0: in none yet */
    uint64_t frames; /* of the set, in the order in which they are read */
    uint32_t sum;    /* CRC-32 of what is before */
};

struct sensor_captures {
    char path[4200], path_at[4200];
    struct known *known;
    size_t count;
    struct place place; /* that counts */
    struct place before;
    uint64_t spool;
    uint8_t set[SET];
    bool placed; /* every capture of the set can be known again */
    uint64_t frames;
    int fd; /* of the places; -1: not open */
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
    return e;
}

/* ---- the place ---- */

static uint32_t place_sum(const struct place *p)
{
    return (uint32_t)crc32(0, (const uint8_t *)p, offsetof(struct place, sum));
}

static bool place_fits(const struct place *p)
{
    return p->turn && p->sum == place_sum(p);
}

static enum err place_open(struct sensor_captures *c, struct fault *f)
{
    struct place both[2] = {{0}};
    c->fd = open(c->path_at, O_RDWR | O_CLOEXEC);
    if (c->fd < 0)
        return errno == ENOENT ? OK : io_fault(f, c->path_at);
    if (pread(c->fd, both, sizeof both, 0) < 0)
        return io_fault(f, c->path_at);
    for (int i = 0; i < 2; i++)
        if (!place_fits(&both[i]))
            both[i] = (struct place){0};
    bool second = both[1].turn > both[0].turn;
    c->place = both[second];
    c->before = both[!second];
    return OK;
}

static enum err place_put(struct sensor_captures *c, struct place p, struct fault *f)
{
    p.turn = c->place.turn + 1;
    p.sum = place_sum(&p);
    if (c->fd < 0)
        c->fd = open(c->path_at, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    off_t at = (off_t)((p.turn & 1) * sizeof p);
    if (c->fd < 0 || pwrite(c->fd, &p, sizeof p, at) != (ssize_t)sizeof p ||
        fdatasync(c->fd) != 0)
        return io_fault(f, c->path_at);
    c->before = c->place;
    c->place = p;
    return OK;
}

enum err sensor_captures_settle(
    struct sensor_captures *c, const struct spool_counts *spool, struct fault *f)
{
    const struct place *p = &c->place;
    c->spool = spool->id;
    if (!p->turn || !p->entry || p->spool != spool->id)
        return OK;
    if (p->entry < spool->next && p->entry != spool->torn)
        return OK;
    /* It was announced, and is not there: the one before counts. */
    struct place back = c->before;
    if (memcmp(back.set, p->set, SET) != 0 || back.spool != p->spool)
        back = (struct place){.spool = p->spool};
    memcpy(back.set, p->set, SET);
    return place_put(c, back, f);
}

/* ---- begin and end ---- */

enum err sensor_captures_open(
    struct sensor_captures **ret_captures, const char *folder, struct fault *f)
{
    struct sensor_captures *c = calloc(1, sizeof *c);
    if (!c)
        return fault_set(f, ERR_NOMEM, "out of memory");
    c->fd = -1;
    snprintf(c->path, sizeof c->path, "%.4095s/captures", folder);
    snprintf(c->path_at, sizeof c->path_at, "%.4095s/captures.at", folder);
    enum err e = known_read(c, f);
    if (!e)
        e = place_open(c, f);
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
    if (c->fd >= 0)
        close(c->fd);
    free(c);
}

static bool identity(const char *path, char ret_digest[HEX + 1])
{
    uint8_t digest[CATALOG_HASH];
    uint64_t size;
    if (import_identity(path, digest, &size) != OK)
        return false;
    sodium_bin2hex(ret_digest, HEX + 1, digest, sizeof digest);
    return true;
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
    for (size_t i = 0; i < list->count; i++)
        c->placed = identity(list->paths[i], all[i]) && c->placed;
    qsort(all, list->count, sizeof *all, by_digest);
    crypto_generichash_state hash;
    uint8_t name[crypto_generichash_BYTES];
    crypto_generichash_init(&hash, NULL, 0, sizeof name);
    for (size_t i = 0; i < list->count; i++)
        crypto_generichash_update(&hash, (const uint8_t *)all[i], HEX);
    crypto_generichash_final(&hash, name, sizeof name);
    memcpy(c->set, name, SET);
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
    char digest[HEX + 1], when[TIME_TEXT], text[700];
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct known *k = identity(list->paths[i], digest) ? known_find(c, digest) : NULL;
        if (!k || !k->read) {
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
    char digest[HEX + 1], when[TIME_TEXT];
    const struct place *p = &c->place;
    c->frames = 0;
    if (c->placed && p->turn && p->spool == c->spool && memcmp(p->set, c->set, SET) == 0) {
        c->frames = p->frames;
        return OK;
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct known *k = identity(list->paths[i], digest) ? known_find(c, digest) : NULL;
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
        if (!identity(list->paths[i], fresh.digest))
            continue;
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

enum err sensor_captures_begin(struct sensor_captures *c, struct capture_list *list, bool again,
    void (*known)(const char *text), struct fault *f)
{
    enum err e = again ? OK : read_leave(c, list, known, f);
    if (!e)
        e = set_name(c, list, f);
    if (!e && !again)
        e = begun_check(c, list, f);
    struct place p = {.spool = c->spool, .frames = c->frames};
    memcpy(p.set, c->set, SET);
    if (!e && c->placed && !c->frames)
        e = place_put(c, p, f);
    return e ? e : list_mark(c, list, f);
}

static enum err on_entry(void *context, uint64_t number, uint64_t frames, struct fault *f)
{
    struct sensor_captures *c = context;
    struct place p = {.spool = c->spool, .entry = number, .frames = frames};
    memcpy(p.set, c->set, SET);
    /* Tried again on a full disk: the place before stays the one to go back to. */
    bool noted = c->place.spool == p.spool && c->place.entry == number &&
                 c->place.frames == frames && memcmp(c->place.set, p.set, SET) == 0;
    return noted ? OK : place_put(c, p, f);
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
    return known_write(c, f);
}
