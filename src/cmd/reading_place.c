#include "cmd/reading_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static enum err io_fault(struct fault *f, const char *path)
{
    return fault_set(f, errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO, "%s: %s", path,
        strerror(errno));
}

enum err reading_places_folder_sync(const char *folder, struct fault *f)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err e = fd >= 0 && fsync(fd) == 0 ? OK : io_fault(f, folder);
    if (fd >= 0)
        close(fd);
    return e;
}

static uint32_t place_sum(const struct reading_place *p)
{
    return (uint32_t)crc32(0, (const uint8_t *)p, offsetof(struct reading_place, sum));
}

static bool is_set(const struct reading_place *p, const uint8_t set[PLACE_SET])
{
    return p->turn && memcmp(p->set, set, PLACE_SET) == 0;
}

enum err reading_places_open(struct reading_places *p, const char *folder, struct fault *f)
{
    struct reading_place all[2 + PLACES_LEFT] = {{0}};
    snprintf(p->folder, sizeof p->folder, "%s", folder);
    snprintf(p->path, sizeof p->path, "%s/captures.at", p->folder);
    p->fd = open(p->path, O_RDWR | O_CLOEXEC);
    if (p->fd < 0)
        return errno == ENOENT ? OK : io_fault(f, p->path);
    if (pread(p->fd, all, sizeof all, 0) < 0)
        return io_fault(f, p->path);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].sum != place_sum(&all[i]))
            all[i] = (struct reading_place){0};
    bool second = all[1].turn > all[0].turn;
    p->now = all[second];
    p->before = all[!second];
    memcpy(p->left, all + 2, sizeof p->left);
    return OK;
}

void reading_places_close(struct reading_places *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

static enum err place_write(
    struct reading_places *p, const struct reading_place *one, size_t at, struct fault *f)
{
    bool made = p->fd < 0;
    if (made)
        p->fd = open(p->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (p->fd < 0 ||
        pwrite(p->fd, one, sizeof *one, (off_t)(at * sizeof *one)) != (ssize_t)sizeof *one ||
        fdatasync(p->fd) != 0)
        return io_fault(f, p->path);
    return made ? reading_places_folder_sync(p->folder, f) : OK;
}

/* Another set is begun: the one that counts can still be gone on with. */
static enum err place_leave(struct reading_places *p, struct fault *f)
{
    size_t at = 0;
    for (size_t i = 0; i < PLACES_LEFT; i++) {
        if (is_set(&p->left[i], p->now.set)) {
            at = i;
            break;
        }
        if (p->left[i].turn < p->left[at].turn)
            at = i;
    }
    enum err e = place_write(p, &p->now, 2 + at, f);
    if (!e)
        p->left[at] = p->now;
    return e;
}

enum err reading_places_put(
    struct reading_places *p, const struct reading_place *fresh, struct fault *f)
{
    static const uint8_t none[PLACE_SET];
    struct reading_place one = *fresh;
    bool leaves = p->now.turn && !is_set(&p->now, fresh->set) && !is_set(&p->now, none);
    bool ended = memcmp(fresh->set, none, PLACE_SET) == 0;
    enum err e = leaves && !ended ? place_leave(p, f) : OK;
    one.turn = p->now.turn + 1;
    one.sum = place_sum(&one);
    if (!e)
        e = place_write(p, &one, one.turn & 1, f);
    if (e)
        return e;
    p->before = p->now;
    p->now = one;
    return OK;
}

const struct reading_place *reading_places_find(
    const struct reading_places *p, const uint8_t set[PLACE_SET], uint64_t spool)
{
    const struct reading_place *found = is_set(&p->now, set) ? &p->now : NULL;
    for (size_t i = 0; i < PLACES_LEFT && !found; i++)
        if (is_set(&p->left[i], set))
            found = &p->left[i];
    return found && found->spool == spool ? found : NULL;
}

enum err reading_places_settle(
    struct reading_places *p, const struct spool_counts *spool, struct fault *f)
{
    const struct reading_place *now = &p->now;
    if (!now->turn || !now->entry || now->spool != spool->id)
        return OK;
    if (now->entry < spool->next && now->entry != spool->torn)
        return OK;
    /* It was announced, and is not there: the one before counts. */
    struct reading_place back = p->before;
    if (!is_set(&back, now->set) || back.spool != now->spool)
        back = (struct reading_place){.spool = now->spool};
    memcpy(back.set, now->set, PLACE_SET);
    return reading_places_put(p, &back, f);
}
