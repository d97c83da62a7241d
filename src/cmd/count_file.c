#include "cmd/count_file.h"

#include "cmd/output.h"

#include "base/clock.h"
#include "base/index.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SERVICES_MAX = 1 << 20
};

struct service {
    const char *site; /* a word of the window's blocks */
    uint8_t proto;
    uint16_t port;
    uint32_t sources;
};

struct count_file {
    struct output out;
    struct index index;
    struct service *services;
    size_t count;
};

static void free_all(struct count_file *h)
{
    index_done(&h->index);
    free(h->services);
    free(h);
}

enum err count_file_open(struct count_file **ret_counts, const char *path, struct fault *f)
{
    struct count_file *h = calloc(1, sizeof *h);
    struct service *services = calloc(SERVICES_MAX, sizeof *services);
    if (!h || !services || index_init(&h->index, SERVICES_MAX) != OK) {
        free(h);
        free(services);
        return fault_set(f, ERR_NOMEM, "out of memory");
    }
    h->services = services;
    enum err e = output_open(&h->out, "--host-counts", path, f);
    if (e) {
        free_all(h);
        return e;
    }
    fprintf(h->out.file, "window,site,proto,port,sources\n");
    *ret_counts = h;
    return OK;
}

static struct service *service_of(
    struct count_file *h, const char *site, uint8_t proto, uint16_t port)
{
    uint64_t hash = hash_two(hash_bytes(site, strlen(site), 0), (uint64_t)proto << 16 | port);
    uint32_t entry;
    size_t at = index_first(&h->index, hash);
    for (; index_at(&h->index, at, hash, &entry); at = index_next(&h->index, at)) {
        if (entry == INDEX_OTHER)
            continue;
        struct service *s = &h->services[entry];
        if (s->proto == proto && s->port == port && strcmp(s->site, site) == 0)
            return s;
    }
    if (index_put(&h->index, at, hash, (uint32_t)h->count) != OK)
        return NULL;
    struct service *s = &h->services[h->count++];
    *s = (struct service){.site = site, .proto = proto, .port = port};
    return s;
}

static int by_service(const void *a, const void *b)
{
    const struct service *x = a;
    const struct service *y = b;
    int sites = strcmp(x->site, y->site);
    if (sites)
        return sites;
    if (x->proto != y->proto)
        return x->proto < y->proto ? -1 : 1;
    return x->port < y->port ? -1 : x->port > y->port;
}

enum err count_file_add(struct count_file *h, const struct window *w, struct fault *f)
{
    char when[TIME_TEXT];
    time_format(w->start, when);
    index_clear(&h->index);
    h->count = 0;
    for (size_t i = 0; i < w->block_count; i++) {
        const struct block *b = w->blocks[i];
        for (size_t row = 0; row < b->rows; row++) {
            if (strcmp(block_word_at(b, CONTACT_CLASS, row), "backscatter") == 0)
                continue;
            struct service *s = service_of(h, block_word_at(b, CONTACT_SITE, row),
                block_u8(b, CONTACT_PROTO)[row], block_u16(b, CONTACT_DPORT)[row]);
            if (s)
                s->sources++;
        }
    }
    qsort(h->services, h->count, sizeof *h->services, by_service);
    for (size_t i = 0; i < h->count; i++) {
        const struct service *s = &h->services[i];
        fprintf(h->out.file, "%s,%s,%u,%u,%u\n", when, s->site, s->proto, s->port, s->sources);
    }
    return ferror(h->out.file) ? fault_set(f, ERR_IO, "--host-counts: %s", strerror(errno))
                               : OK;
}

enum err count_file_close(struct count_file *h, enum err run, struct fault *f)
{
    if (!h)
        return run;
    enum err e = output_close(&h->out, run, f);
    free_all(h);
    return e;
}
