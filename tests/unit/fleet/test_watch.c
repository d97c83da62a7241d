#include "test.h"

#include "base/clock.h"
#include "fleet/watch.h"

/* Plays: a text for each scenario, in plays/. A line is one of
 *
 *     AT beat [MEMBER=VALUE]...    a heartbeat comes; members keep their values until changed
 *     AT want VERSION              the site should have this version of its document
 *     AT look STATE [REASON [TEXT...]]   the time is looked at, and this is what is found
 *     AT clock SECONDS             from now on the site's clock is so far ahead of the hub's
 *     AT since TIME                the state began then
 *     resume                       first line: the site was known before the hub was started
 *
 * AT and TIME count seconds from the start; beats carry them as the site's time, too. # begins
 * a comment. */

#define START (INT64_C(1700000000) * US_SECOND)

struct play {
    const char *file;
    int line;
    struct watch watch;
    struct heartbeat beat;
    int64_t ahead; /* of the site's clock */
};

static void wrong(const struct play *p, const char *what, const char *have, const char *want)
{
    fail_msg("%s:%d: %s is \"%s\", not \"%s\"", p->file, p->line, what, have, want);
}

static void set_member(struct play *p, const char *name, const char *value)
{
    for (size_t i = 0; i < heartbeat_field_count; i++) {
        const struct heartbeat_field *field = &heartbeat_fields[i];
        if (strcmp(field->name, name) != 0)
            continue;
        void *at = (char *)&p->beat + field->offset;
        int64_t number = strtoll(value, NULL, 10);
        if (field->type == HEARTBEAT_IS_TEXT)
            snprintf(at, HEARTBEAT_TEXT, "%s", value);
        else
            *(int64_t *)at =
                field->type == HEARTBEAT_IS_TIME ? START + number * US_SECOND : number;
        return;
    }
    wrong(p, "member", name, "one of heartbeat.def");
}

static void play_beat(struct play *p, int64_t now, char *rest)
{
    char *save = NULL;
    p->beat.sent = now + p->ahead;
    for (char *pair = strtok_r(rest, " ", &save); pair; pair = strtok_r(NULL, " ", &save)) {
        char *equals = strchr(pair, '=');
        assert_non_null(equals);
        *equals = 0;
        set_member(p, pair, equals + 1);
    }
    watch_heartbeat(&p->watch, &p->beat, now);
}

static void play_look(struct play *p, int64_t now, char *rest)
{
    char *save = NULL;
    const char *state = strtok_r(rest, " ", &save);
    const char *reason = strtok_r(NULL, " ", &save);
    watch_look(&p->watch, now);
    enum watch_reason cause = watch_cause(&p->watch);
    const char *have = cause == WATCH_REASON_COUNT ? "" : watch_reason_name(cause);
    if (strcmp(site_state_name(p->watch.state), state) != 0)
        wrong(p, "state", site_state_name(p->watch.state), state);
    if (strcmp(have, reason ? reason : "") != 0)
        wrong(p, "reason", have, reason ? reason : "");
    if (!save || !*save)
        return;
    char sentence[WATCH_SENTENCE];
    watch_tell(&p->watch, cause, now, sentence);
    if (strcmp(sentence, save) != 0)
        wrong(p, "sentence", sentence, save);
}

static void play_line(struct play *p, char *line)
{
    char word[16];
    int used = 0;
    long at;
    if (strncmp(line, "resume", 6) == 0) {
        watch_resume(&p->watch, START);
        return;
    }
    if (sscanf(line, "%ld %15s %n", &at, word, &used) != 2)
        return;
    char *rest = line + used;
    int64_t now = START + at * US_SECOND;
    if (strcmp(word, "beat") == 0)
        play_beat(p, now, rest);
    else if (strcmp(word, "want") == 0)
        watch_wanted(&p->watch, strtoll(rest, NULL, 10), now);
    else if (strcmp(word, "kept") == 0)
        p->watch.kept = START + strtoll(rest, NULL, 10) * US_SECOND;
    else if (strcmp(word, "look") == 0)
        play_look(p, now, rest);
    else if (strcmp(word, "clock") == 0)
        p->ahead = strtoll(rest, NULL, 10) * US_SECOND;
    else if (strcmp(word, "since") == 0)
        assert_int_equal((p->watch.since - START) / US_SECOND, strtoll(rest, NULL, 10));
    else
        wrong(p, "word", word, "beat, want, kept, look, clock or since");
}

static void play(const char *name)
{
    char path[512], relative[128], line[512];
    struct play p = {.file = name};
    snprintf(relative, sizeof relative, "tests/unit/fleet/plays/%s", name);
    FILE *file = fopen(test_source(relative, path), "r");
    assert_non_null(file);
    watch_init(&p.watch, START);
    heartbeat_init(&p.beat);
    snprintf(p.beat.site, sizeof p.beat.site, "jp-01");
    p.beat.started = START - US_HOUR;
    while (fgets(line, sizeof line, file)) {
        p.line++;
        line[strcspn(line, "#\n")] = 0;
        for (size_t len = strlen(line); len && line[len - 1] == ' ';)
            line[--len] = 0;
        play_line(&p, line);
    }
    fclose(file);
    assert_true(p.line > 3);
}

static void silence(void **state)
{
    (void)state;
    play("silence.play");
}

static void captures(void **state)
{
    (void)state;
    play("captures.play");
}

static void old(void **state)
{
    (void)state;
    play("old.play");
}

static void lateness(void **state)
{
    (void)state;
    play("lateness.play");
}

static void hardware(void **state)
{
    (void)state;
    play("hardware.play");
}

static void clocks(void **state)
{
    (void)state;
    play("clock.play");
}

static void loss(void **state)
{
    (void)state;
    play("loss.play");
}

static void document(void **state)
{
    (void)state;
    play("document.play");
}

static void restart(void **state)
{
    (void)state;
    play("restart.play");
}

static void hub_restart(void **state)
{
    (void)state;
    play("hub-restart.play");
}

/* Whatever a site says, the machine stays in one piece. */
static void hostile(void **state)
{
    (void)state;
    static const int64_t extremes[] = {
        INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    struct watch w;
    struct heartbeat h;
    char sentence[WATCH_SENTENCE];
    watch_init(&w, START);
    heartbeat_init(&h);
    snprintf(h.site, sizeof h.site, "jp-01");
    for (size_t round = 0; round < 7 * heartbeat_field_count; round++) {
        const struct heartbeat_field *field = &heartbeat_fields[round % heartbeat_field_count];
        if (field->type == HEARTBEAT_IS_COUNT)
            *(int64_t *)(void *)((char *)&h + field->offset) = extremes[round % 7];
        h.sent = START + (int64_t)round;
        watch_heartbeat(&w, &h, START + (int64_t)round * US_SECOND);
        watch_look(&w, START + (int64_t)round * US_SECOND);
        for (size_t r = 0; r < WATCH_REASON_COUNT; r++)
            watch_tell(&w, (enum watch_reason)r, START + (int64_t)round * US_SECOND, sentence);
    }
    assert_int_not_equal(w.state, SITE_NEW);
}

static const struct CMUnitTest tests[] = {
    SAYS("a sensor that has sent its captures is not missed", captures),
    SAYS("captures older than what the hub keeps are told of, while they come and after", old),
    SAYS("a silent site is late, then down since it was last heard, then up with one heartbeat",
        silence),
    SAYS("a site whose records wait for the hub is late until they are through", lateness),
    SAYS("disk, memory, heat and failing disks begin high and end lower", hardware),
    SAYS("a clock that differs from the hub's is told, a heartbeat that was long on its way is "
         "not",
        clocks),
    SAYS("dropped packets, a full spool and an empty telescope are each told", loss),
    SAYS("a document that is refused, or not in effect in time, makes the site degraded",
        document),
    SAYS("a sensor that restarts again and again is degraded; its counters may start anew",
        restart),
    SAYS("after a restart of the hub a site is unwatched until it is heard, or down",
        hub_restart),
    SAYS("figures out of every range do no harm", hostile),
};
TEST_MAIN(tests)
