#include "geo/geo.h"

#include "geo/geo_int.h"
#include "geo/places.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that gave at least one part. */
struct geo_file {
    char *path;
    struct geo_about about;
    struct ranges country, asn;
    uint64_t rows[GEO_PARTS];
};

enum {
    FILES_MAX = 16,
    NO_FILE = -1
};

enum progress {
    GEO_READING,
    GEO_READ,
    GEO_FAILED
};

/* Where others wait for the thread that reads. */
struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t done;
    pthread_t thread;
};

struct geo {
    _Atomic enum progress progress;
    struct waiting *waiting; /* NULL: it was read before anybody had it */
    struct geo_options options;
    struct fault fault; /* if it failed */
    struct geo_file file[FILES_MAX];
    size_t file_count;
    int part[GEO_PARTS];  /* the file that gives it, or NO_FILE */
    struct places places; /* both parts of IPv4 together */
    struct geo_names names;
    const char *advice[3];
};

static const char *const part_names[GEO_PARTS] = {
    "country of IPv4", "country of IPv6", "network of IPv4", "network of IPv6"};

/* Where Debian's packages and common updaters put databases, best first. */
static const char *const usual_places[] = {
    "/var/lib/GeoIP/GeoLite2-Country.mmdb",
    "/var/lib/GeoIP/GeoLite2-ASN.mmdb",
    "/usr/share/GeoIP/GeoLite2-Country.mmdb",
    "/usr/share/GeoIP/GeoLite2-ASN.mmdb",
    "/usr/share/tor/geoip",
    "/usr/share/tor/geoip6",
    "/usr/local/share/kizashi/geoip", /* tor-geoipdb's, by script/bootstrap without Tor */
    "/usr/local/share/kizashi/geoip6",
    "/var/lib/location/database.db",
    "/usr/share/libloc-location/location.db",
};

static bool starts(struct bytes in, const char *magic)
{
    size_t len = strlen(magic);
    return in.left >= len && memcmp(in.at, magic, len) == 0;
}

/* The marker of MMDB's metadata lies in the last 128 KiB. */
static bool is_mmdb(struct bytes in)
{
    static const char marker[] = "\xab\xcd\xefMaxMind.com";
    size_t tail = in.left < 128 * 1024 ? in.left : 128 * 1024;
    return memmem(in.at + (in.left - tail), tail, marker, sizeof marker - 1) != NULL;
}

static enum err read_bytes(
    struct geo_read *r, const char *path, struct bytes in, struct fault *f)
{
    if (starts(in, "LOCDBXX"))
        return geo_read_location(r, path, in, f);
    if (is_mmdb(in))
        return geo_read_mmdb(r, path, f);
    return geo_read_text(r, path, in, f);
}

static enum err read_file(struct geo_read *r, const char *path, struct fault *f)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st)) {
        int why = errno;
        if (fd >= 0)
            close(fd);
        return fault_set(f, why == ENOENT ? ERR_NOTFOUND : ERR_IO, "%s: cannot be opened: %s",
            path, strerror(why));
    }
    if (!S_ISREG(st.st_mode) || st.st_size == 0 || st.st_size > GEO_FILE_MAX) {
        close(fd);
        return fault_set(f, ERR_BAD, "%s: not a file of 1 byte to 1 GiB, so no database", path);
    }
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    int why = errno;
    close(fd);
    if (map == MAP_FAILED)
        return fault_set(f, ERR_IO, "%s: cannot be read: %s", path, strerror(why));
    enum err e = read_bytes(r, path, bytes_over(map, (size_t)st.st_size), f);
    munmap(map, (size_t)st.st_size);
    return e;
}

/* Make what was read part of the whole, if it gave anything that was wanted. */
static enum err adopt(struct geo *g, struct geo_read *r, const char *path, struct fault *f)
{
    size_t crossing[2];
    bool any = false;
    for (int p = 0; p < GEO_PARTS; p++)
        any |= r->found[p];
    if (!any)
        return OK;
    if (g->file_count == FILES_MAX)
        return fault_set(f, ERR_FULL, "%s: more than %d databases", path, FILES_MAX);
    enum err e = ranges_build(&r->country, crossing);
    if (!e)
        e = ranges_build(&r->asn, crossing);
    if (e == ERR_BAD)
        return fault_set(f, e, "%s: its ranges number %zu and %zu cross", path, crossing[0] + 1,
            crossing[1] + 1);
    char *copy = e ? NULL : strdup(path);
    if (!copy)
        return fault_set(f, ERR_NOMEM, "%s: no memory for its ranges", path);
    struct geo_file *file = &g->file[g->file_count];
    *file = (struct geo_file){
        .path = copy, .about = r->about, .country = r->country, .asn = r->asn};
    memcpy(file->rows, r->rows, sizeof file->rows);
    ranges_init(&r->country);
    ranges_init(&r->asn);
    for (int p = 0; p < GEO_PARTS; p++)
        if (r->found[p])
            g->part[p] = (int)g->file_count;
    g->file_count++;
    if (!g->names.count && r->names.count) {
        g->names = r->names;
        r->names = (struct geo_names){0};
    }
    return OK;
}

/* To be ended with geo_read_done() in any case. */
static enum err read_wanted(const struct geo *g, struct geo_read *ret_read, const char *path,
    bool gather, struct fault *f)
{
    geo_read_init(ret_read);
    ret_read->gather = gather;
    for (int p = 0; p < GEO_PARTS; p++)
        ret_read->wanted[p] = g->part[p] == NO_FILE;
    return read_file(ret_read, path, f);
}

static enum err add_file(struct geo *g, const char *path, struct fault *f)
{
    struct geo_read r;
    enum err e = read_wanted(g, &r, path, false, f);
    if (r.unordered) {
        geo_read_done(&r);
        e = read_wanted(g, &r, path, true, f);
    }
    if (!e)
        e = adopt(g, &r, path, f);
    geo_read_done(&r);
    return e;
}

/* Is there nothing left that another file could give? */
static bool is_complete(const struct geo *g)
{
    for (int p = 0; p < GEO_PARTS; p++)
        if (g->part[p] == NO_FILE)
            return false;
    return true;
}

static void write_advice(struct geo *g)
{
    size_t n = 0;
    if (g->part[GEO_COUNTRY4] == NO_FILE)
        g->advice[n++] = "no database of countries: script/bootstrap takes those of "
                         "tor-geoipdb, or name an MMDB file";
    if (g->part[GEO_ASN4] == NO_FILE)
        g->advice[n++] =
            "no database of networks: apt-get install libloc-database, or name an MMDB file";
    g->advice[n] = NULL;
}

/* What gives a part; NULL: nothing does. */
static const struct ranges *part_ranges(const struct geo *g, enum geo_part part)
{
    if (g->part[part] == NO_FILE)
        return NULL;
    const struct geo_file *file = &g->file[g->part[part]];
    return part == GEO_COUNTRY4 || part == GEO_COUNTRY6 ? &file->country : &file->asn;
}

static enum err read_all(struct geo *g, struct fault *f)
{
    const struct geo_options *options = &g->options;
    enum err e = OK;
    for (size_t i = 0; !e && i < options->file_count; i++)
        e = add_file(g, options->files[i], f);
    size_t places = sizeof usual_places / sizeof usual_places[0];
    for (size_t i = 0; !e && options->automatic && i < places && !is_complete(g); i++) {
        e = add_file(g, usual_places[i], f);
        if (e == ERR_NOTFOUND)
            e = OK;
    }
    if (e)
        return e;
    const struct ranges *country = part_ranges(g, GEO_COUNTRY4);
    if (places_build(&g->places, country, part_ranges(g, GEO_ASN4)) != OK)
        return fault_set(f, ERR_NOMEM, "no memory for the geographic databases");
    write_advice(g);
    return OK;
}

static enum err geo_new(
    struct geo **ret_geo, const struct geo_options *options, struct fault *f)
{
    struct geo *g = calloc(1, sizeof *g);
    if (!g)
        return fault_set(f, ERR_NOMEM, "no memory for the geographic databases");
    g->options = *options;
    for (int p = 0; p < GEO_PARTS; p++)
        g->part[p] = NO_FILE;
    *ret_geo = g;
    return OK;
}

enum err geo_open(struct geo **ret_geo, const struct geo_options *options, struct fault *f)
{
    struct geo *g = NULL;
    enum err e = geo_new(&g, options, f);
    if (e)
        return e;
    e = read_all(g, f);
    if (e) {
        geo_close(g);
        return e;
    }
    atomic_init(&g->progress, GEO_READ);
    *ret_geo = g;
    return OK;
}

/* NULL: no memory. */
static struct waiting *waiting_new(void)
{
    struct waiting *w = malloc(sizeof *w);
    if (w) {
        pthread_mutex_init(&w->lock, NULL);
        pthread_cond_init(&w->done, NULL);
    }
    return w;
}

/* Nobody waits. NULL is fine. */
static void waiting_free(struct waiting *w)
{
    if (!w)
        return;
    pthread_cond_destroy(&w->done);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

static void *reading_thread(void *context)
{
    struct geo *g = context;
    enum err e = read_all(g, &g->fault);
    pthread_mutex_lock(&g->waiting->lock);
    atomic_store(&g->progress, e ? GEO_FAILED : GEO_READ);
    pthread_cond_broadcast(&g->waiting->done);
    pthread_mutex_unlock(&g->waiting->lock);
    return NULL;
}

enum err geo_open_behind(
    struct geo **ret_geo, const struct geo_options *options, struct fault *f)
{
    struct geo *g = NULL;
    enum err e = geo_new(&g, options, f);
    if (e)
        return e;
    g->waiting = waiting_new();
    if (!g->waiting || pthread_create(&g->waiting->thread, NULL, reading_thread, g) != 0) {
        waiting_free(g->waiting);
        g->waiting = NULL; /* there is no thread to wait for */
        geo_close(g);
        return fault_set(f, ERR_NOMEM, "no thread for the geographic databases");
    }
    *ret_geo = g;
    return OK;
}

/* Wait for the thread; false: it has failed. */
static bool reading_await(const struct geo *g)
{
    pthread_mutex_lock(&g->waiting->lock);
    while (atomic_load(&g->progress) == GEO_READING)
        pthread_cond_wait(&g->waiting->done, &g->waiting->lock);
    pthread_mutex_unlock(&g->waiting->lock);
    return atomic_load(&g->progress) == GEO_READ;
}

static inline bool is_read(const struct geo *g)
{
    return g && atomic_load_explicit(&g->progress, memory_order_acquire) == GEO_READ;
}

/* Is there something to look into? Waits until this is known. */
static inline bool is_usable(const struct geo *g)
{
    return is_read(g) || (g && reading_await(g));
}

enum err geo_settle(const struct geo *g, struct fault *f)
{
    return !g || is_usable(g) ? OK : fault_set(f, g->fault.code, "%s", g->fault.text);
}

void geo_close(struct geo *g)
{
    if (!g)
        return;
    if (g->waiting)
        pthread_join(g->waiting->thread, NULL);
    waiting_free(g->waiting);
    for (size_t i = 0; i < g->file_count; i++) {
        free(g->file[i].path);
        ranges_done(&g->file[i].country);
        ranges_done(&g->file[i].asn);
    }
    places_done(&g->places);
    geo_names_done(&g->names);
    free(g);
}

static void country_text(uint32_t value, char ret_country[2])
{
    ret_country[0] = (char)(value >> 8);
    ret_country[1] = (char)value;
}

static void find6(const struct geo *g, const struct ip *ip, struct geo_place *ret_place)
{
    int country = g->part[GEO_COUNTRY6];
    int asn = g->part[GEO_ASN6];
    if (country != NO_FILE)
        country_text(ranges_find6(&g->file[country].country, ip), ret_place->country);
    if (asn != NO_FILE)
        ret_place->asn = ranges_find6(&g->file[asn].asn, ip);
}

void geo_find(const struct geo *g, const struct ip *ip, struct geo_place *ret_place)
{
    *ret_place = (struct geo_place){0};
    if (!is_usable(g))
        return;
    if (!ip_is_v4(ip)) {
        find6(g, ip, ret_place);
        return;
    }
    const struct place *place = places_find(&g->places, ip_v4(ip));
    ret_place->asn = place->asn;
    country_text(place->country, ret_place->country);
}

void geo_prefetch(const struct geo *g, const struct ip *ip, unsigned step)
{
    if (is_read(g) && ip_is_v4(ip))
        places_prefetch(&g->places, ip_v4(ip), step);
}

const char *geo_asn_name(const struct geo *g, uint32_t asn)
{
    return is_usable(g) ? geo_names_find(&g->names, asn) : "";
}

size_t geo_origins(const struct geo *g, struct geo_origin *ret_origins, size_t cap)
{
    size_t n = 0;
    bool usable = is_usable(g);
    for (int p = 0; usable && p < GEO_PARTS && n < cap; p++) {
        if (g->part[p] == NO_FILE)
            continue;
        const struct geo_file *file = &g->file[g->part[p]];
        ret_origins[n++] = (struct geo_origin){
            .what = part_names[p],
            .file = file->path,
            .origin = file->about.origin,
            .licence = file->about.licence,
            .date = file->about.date,
            .rows = file->rows[p],
        };
    }
    return n;
}

const char *const *geo_advice(const struct geo *g)
{
    (void)is_usable(g);
    return g->advice;
}
