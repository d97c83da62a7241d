#include "stage.h"

#include <dirent.h>
#include <inttypes.h>
#include <sys/mount.h>
#include <unistd.h>

void stage_run(struct stage *s, int64_t ms)
{
    for (; ms > 0; ms -= STEP_MS) {
        struct fault f = {0};
        stage_site_step(s);
        if (intake_step(s->intake, 0, &f) != OK)
            stage_hub_kill(s);
        else if (s->watched)
            stage_engines_step(s);
        s->link.now += STEP_MS * 1000;
    }
}

static void hub_dead(struct stage *s, int64_t ms)
{
    stage_hub_end(s);
    link_set(&s->link.hub, false);
    for (; ms > 0; ms -= STEP_MS) {
        stage_site_step(s);
        s->link.now += STEP_US;
    }
    stage_hub_start(s);
    link_set(&s->link.hub, true);
}

int stage_make(void **state)
{
    struct stage *s = calloc(1, sizeof *s);
    *state = s;
    /* In memory where there is such a place: the catalogue waits for the disk at every commit.
     */
    snprintf(s->folder, sizeof s->folder, "%s/kizashi-delivery-XXXXXX",
        access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(s->folder) || fingerprints_new(&s->set, NULL) != OK ||
        parcel_writer_new(&s->writer, s->set) != OK)
        return -1;
    snprintf(s->catalog_path, sizeof s->catalog_path, "%s/catalog.sqlite", s->folder);
    s->clock = (struct clock){link_now, &s->link};
    return 0;
}

void stage_folder_empty(const char *folder)
{
    char path[512];
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));) {
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (e->d_name[0] != '.')
            unlink(path);
    }
    if (d)
        closedir(d);
}

int stage_drop(void **state)
{
    struct stage *s = *state;
    char path[96];
    parcel_writer_free(s->writer);
    fingerprints_free(s->set);
    snprintf(path, sizeof path, "%s/spool", s->folder);
    stage_folder_empty(path);
    rmdir(path);
    snprintf(path, sizeof path, "%s/logbook", s->folder);
    if (s->ballast[0])
        umount2(path, MNT_DETACH);
    stage_folder_empty(path);
    rmdir(path);
    stage_folder_empty(s->folder);
    int status = rmdir(s->folder);
    free(s);
    return status;
}

void stage_open(struct stage *s, uint64_t seed)
{
    char path[96];
    snprintf(path, sizeof path, "%s/spool", s->folder);
    stage_folder_empty(path);
    snprintf(path, sizeof path, "%s/logbook", s->folder);
    stage_folder_empty(path);
    stage_folder_empty(s->folder);
    link_init(&s->link, seed);
    s->appended = 0;
    s->kept = 0;
    s->last_kept = 0;
    memset(s->kept_in, 0, sizeof s->kept_in);
    s->stored = s->contacts = s->id_count = 0;
    s->late = false;
    s->told = (struct told){0};
    stage_site_start(s);
    stage_hub_start(s);
}

void stage_close(struct stage *s)
{
    stage_site_end(s);
    stage_hub_end(s);
    link_done(&s->link);
}

/* Everything that was appended is in the store, once, and the spool may forget it. */
static void expect_all(struct stage *s, const char *what)
{
    struct spool_counts c;
    static uint8_t seen[STORED_MAX];
    memset(seen, 0, sizeof seen);
    for (size_t i = 0; i < s->stored; i++) {
        if (s->times[i] < 1 || s->times[i] > s->appended || seen[s->times[i]])
            fail_msg("%s: parcel %" PRIu64 " is in the store twice, or from nowhere", what,
                s->times[i]);
        seen[s->times[i]] = 1;
    }
    if (s->stored != s->appended)
        fail_msg(
            "%s: %zu of %" PRIu64 " parcels are in the store", what, s->stored, s->appended);
    assert_int_equal(s->contacts, s->stored);
    spool_counts(s->spool, &c);
    if (c.committed < c.last)
        fail_msg("%s: the site knows %" PRIu64 " of %" PRIu64, what, c.committed, c.last);
}

static bool is_all(const struct stage *s)
{
    struct spool_counts c;
    spool_counts(s->spool, &c);
    return s->stored == s->appended && c.committed >= c.last;
}

void stage_heal(struct stage *s, const char *what)
{
    s->link.lose = s->link.twice = s->link.swap = 0;
    link_set(&s->link.site, true);
    link_set(&s->link.hub, true);
    for (int i = 0; i < 100 && !is_all(s); i++)
        stage_run(s, 1000);
    expect_all(s, what);
}

void stage_play(struct stage *s, const char *line)
{
    char word[16] = "", second[16] = "", third[16] = "";
    char copy[80];
    char *rest = NULL;
    snprintf(copy, sizeof copy, "%s", line);
    const char *token = strtok_r(copy, " ", &rest);
    snprintf(word, sizeof word, "%s", token ? token : "");
    token = strtok_r(NULL, " ", &rest);
    snprintf(second, sizeof second, "%s", token ? token : "");
    token = strtok_r(NULL, " ", &rest);
    snprintf(third, sizeof third, "%s", token ? token : "");
    unsigned long n = strtoul(second, NULL, 10);
    bool site = strcmp(second, "site") == 0, up = strcmp(second, "up") == 0;
    if (strcmp(word, "append") == 0)
        while (n--)
            stage_append(s);
    else if (strcmp(word, "run") == 0)
        stage_run(s, (int64_t)n * 1000);
    else if (strcmp(word, "site") == 0)
        link_set(&s->link.site, up);
    else if (strcmp(word, "hub") == 0)
        link_set(&s->link.hub, up);
    else if (strcmp(word, "wipe") == 0) {
        link_set(&s->link.site, false);
        link_set(&s->link.hub, false);
        link_wipe(&s->link);
        link_set(&s->link.site, true);
        link_set(&s->link.hub, true);
    } else if (strcmp(word, "kill") == 0 && strcmp(third, "late") == 0)
        s->late = true;
    else if (strcmp(word, "kill") == 0)
        site ? stage_site_kill(s, false) : stage_hub_kill(s);
    else if (strcmp(word, "dead") == 0)
        hub_dead(s, (int64_t)n * 1000);
    else if (strcmp(word, "tear") == 0)
        stage_site_kill(s, true);
    else if (strcmp(word, "renew") == 0)
        stage_site_renew(s);
    else if (strcmp(word, "lose") == 0)
        s->link.lose = (unsigned)n;
    else if (strcmp(word, "twice") == 0)
        s->link.twice = (unsigned)n;
    else if (strcmp(word, "swap") == 0)
        s->link.swap = (unsigned)n;
    else if (strcmp(word, "expect") == 0)
        assert_int_equal(s->stored, n);
    else
        fail_msg("no such line: %s", line);
}
