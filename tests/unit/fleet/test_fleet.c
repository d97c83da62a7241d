#include "place.h"

static const char *member(const json_t *row, const char *name)
{
    return json_string_value(json_object_get(row, name));
}

static void tells_changes(void **state)
{
    struct place *p = *state;
    struct fault f;
    assert_int_equal(fleet_expect(p->fleet, "kr-01", START, &f), OK);
    assert_int_equal(fleet_expect(p->fleet, "kr-01", START, &f), OK);
    place_beat(p, "jp-01", START);
    place_look(p, START + 30 * US_SECOND);
    place_look(p, START + 70 * US_SECOND);
    place_look(p, START + 80 * US_SECOND);
    place_beat(p, "jp-01", START + 90 * US_SECOND);
    assert_string_equal(
        p->told, "jp-01 new>up; jp-01 up>late; jp-01 late>down; jp-01 down>up; ");
    json_t *rows = fleet_rows(p->fleet, START + 100 * US_SECOND);
    assert_int_equal(json_array_size(rows), 2);
    assert_string_equal(member(json_array_get(rows, 0), "site"), "jp-01");
    assert_string_equal(member(json_array_get(rows, 0), "state"), "up");
    assert_string_equal(member(json_array_get(rows, 1), "state"), "new");
    assert_true(json_is_null(json_object_get(json_array_get(rows, 1), "heard")));
    json_decref(rows);
}

static void tells_one(void **state)
{
    struct place *p = *state;
    json_t *site = NULL;
    place_beat(p, "jp-01", START);
    place_look(p, START + 70 * US_SECOND);
    place_beat(p, "jp-01", START + 100 * US_SECOND);
    assert_int_equal(fleet_site(p->fleet, "jp-01", START - US_HOUR, START + 400 * US_SECOND,
                         START + 400 * US_SECOND, &site),
        OK);
    const json_t *range = json_object_get(site, "range");
    assert_int_equal(json_integer_value(json_object_get(range, "watched")), 400);
    assert_int_equal(json_integer_value(json_object_get(range, "repair_mean")), 100);
    assert_float_equal(json_real_value(json_object_get(range, "available")), 75.0, 1e-9);
    const json_t *events = json_object_get(site, "events");
    assert_int_equal(json_array_size(events), 3);
    assert_string_equal(member(json_array_get(events, 0), "state"), "up");
    assert_string_equal(member(json_array_get(events, 1), "text"), "nothing heard for 1m 10s");
    json_decref(site);
    assert_int_equal(fleet_site(p->fleet, "nowhere", 0, START, START, &site), ERR_NOTFOUND);
}

/* Worked out by hand: ten days watched, of which down are 3 h 30 min (repaired), 45 min
 * (repaired) and the last 12 h (not yet). Down 16.25 h of 240 h: available 93.2292 %. Repair
 * took (3.5 h + 0.75 h) / 2 = 2 h 7 min 30 s = 7,650 s in the mean, 12,600 s at most. */
static void ten_days(void **state)
{
    static const struct {
        int64_t from, to;
    } silent[] = {{30 * US_HOUR, 30 * US_HOUR + 210 * US_MINUTE},
        {96 * US_HOUR, 96 * US_HOUR + 45 * US_MINUTE}, {228 * US_HOUR, 241 * US_HOUR}};
    struct place *p = *state;
    const int64_t end = START + 240 * US_HOUR;
    json_t *site = NULL;
    place_beat(p, "jp-01", START);
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++) {
        place_beat(p, "jp-01", START + silent[i].from); /* the last before it falls silent */
        place_look(p, START + silent[i].from + 2 * US_MINUTE);
        if (START + silent[i].to < end)
            place_beat(p, "jp-01", START + silent[i].to);
    }
    assert_int_equal(fleet_site(p->fleet, "jp-01", START, end, end, &site), OK);
    const json_t *range = json_object_get(site, "range");
    assert_int_equal(json_integer_value(json_object_get(range, "watched")), 864000);
    assert_int_equal(json_integer_value(json_object_get(range, "down")), 58500);
    assert_float_equal(
        json_real_value(json_object_get(range, "available")), 93.22916666666667, 1e-9);
    assert_int_equal(json_integer_value(json_object_get(range, "outages")), 3);
    assert_int_equal(json_integer_value(json_object_get(range, "repaired")), 2);
    assert_int_equal(json_integer_value(json_object_get(range, "repair_mean")), 7650);
    assert_int_equal(json_integer_value(json_object_get(range, "repair_longest")), 12600);
    json_decref(site);
}

static void known_again(void **state)
{
    struct place *p = *state;
    json_t *site = NULL;
    place_beat(p, "jp-01", START);
    place_look(p, START + 20 * US_SECOND);
    place_close(p, START + 20 * US_SECOND);
    assert_int_equal(place_open(p, START + US_HOUR), 0);
    place_beat(p, "jp-01", START + US_HOUR + 5 * US_SECOND);
    int64_t end = START + 2 * US_HOUR;
    assert_int_equal(fleet_site(p->fleet, "jp-01", START, end, end, &site), OK);
    const json_t *range = json_object_get(site, "range");
    assert_int_equal(json_integer_value(json_object_get(range, "watched")), 20 + 3600 - 5);
    assert_int_equal(json_integer_value(json_object_get(range, "outages")), 0);
    json_decref(site);
}

static void killed(void **state)
{
    struct place *p = *state;
    json_t *rows;
    place_beat(p, "jp-01", START);
    place_look(p, START + 15 * US_SECOND);
    place_close(p, 0); /* no word at the end */
    assert_int_equal(place_open(p, START + US_HOUR), 0);
    int64_t since = 0;
    rows = fleet_rows(p->fleet, START + US_HOUR);
    assert_int_equal(time_parse(member(json_array_get(rows, 0), "since"), &since), OK);
    assert_int_equal(since, START + 15 * US_SECOND); /* when it was last watched */
    json_decref(rows);
    place_look(p, START + US_HOUR + 61 * US_SECOND);
    assert_non_null(strstr(p->told, "jp-01 unwatched>down; "));
    rows = fleet_rows(p->fleet, START + US_HOUR + 61 * US_SECOND);
    const json_t *day = json_object_get(json_array_get(rows, 0), "day");
    assert_int_equal(json_integer_value(json_object_get(day, "down")), 61);
    assert_int_equal(json_integer_value(json_object_get(day, "watched")), 15 + 61);
    json_decref(rows);
}

static bool heard_is(struct place *p, size_t row, int64_t when)
{
    int64_t heard = 0;
    json_t *rows = fleet_rows(p->fleet, START + US_DAY);
    const char *text = member(json_array_get(rows, row), "heard");
    bool same = when ? text && time_parse(text, &heard) == OK && heard == when : !text;
    json_decref(rows);
    return same;
}

static void heard_before(void **state)
{
    struct place *p = *state;
    struct fault f;
    place_beat(p, "jp-01", START);
    place_beat(p, "jp-02", START);
    assert_int_equal(fleet_expect(p->fleet, "kr-01", START, &f), OK);
    place_look(p, START + 15 * US_SECOND); /* noted */
    place_beat(p, "jp-02", START + 18 * US_SECOND);
    place_close(p, START + 20 * US_SECOND); /* and what came since */
    assert_int_equal(place_open(p, START + US_HOUR), 0);
    assert_true(heard_is(p, 0, START));
    assert_true(heard_is(p, 1, START + 18 * US_SECOND));
    assert_true(heard_is(p, 2, 0));
    place_beat(p, "jp-02", START + US_HOUR + US_SECOND);
    assert_true(heard_is(p, 1, START + US_HOUR + US_SECOND));
    place_close(p, 0); /* killed before its first note */
    assert_int_equal(place_open(p, START + 2 * US_HOUR), 0);
    assert_true(heard_is(p, 1, START + 18 * US_SECOND));
}

static void read_capture(struct place *p, const char *site, int64_t now)
{
    struct heartbeat h = beat_of(site, now);
    struct fault f = {0};
    snprintf(h.mode, sizeof h.mode, "ended");
    h.disk_free = 5; /* which degrades a site that runs */
    h.disk_size = 100;
    assert_int_equal(fleet_heartbeat(p->fleet, &h, now, &f), OK);
}

static void state_is(struct place *p, size_t row, const char *state, int64_t since, int64_t now)
{
    json_t *rows = fleet_rows(p->fleet, now);
    const json_t *site = json_array_get(rows, row);
    int64_t began = 0;
    assert_string_equal(member(site, "state"), state);
    assert_int_equal(time_parse(member(site, "since"), &began), OK);
    assert_int_equal(began, since);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(site, "month"), "down")), 0);
    json_decref(rows);
}

/* One has read its captures, another did that just before the hub ended, a third was invited.
 */
static void rests(void **state)
{
    struct place *p = *state;
    struct fault f;
    assert_int_equal(fleet_expect(p->fleet, "kr-01", START, &f), OK);
    read_capture(p, "jp-01", START);
    place_look(p, START + US_MINUTE);
    read_capture(p, "jp-02", START + US_MINUTE);
    place_close(p, 0); /* killed, a moment after that */
    for (int run = 1; run <= 3; run++) {
        const int64_t now = START + run * US_HOUR;
        assert_int_equal(place_open(p, now), 0);
        assert_int_equal(fleet_expect(p->fleet, "kr-01", now, &f), OK);
        place_look(p, now + 2 * US_MINUTE);
        state_is(p, 0, "unwatched", START, now + 3 * US_MINUTE);
        state_is(p, 1, "unwatched", START + US_MINUTE, now + 3 * US_MINUTE);
        state_is(p, 2, "new", START, now + 3 * US_MINUTE);
        assert_int_equal(fleet_state(p->fleet, "jp-01"), SITE_UNWATCHED);
        assert_int_equal(fleet_state(p->fleet, "nobody"), SITE_NEW);
        place_close(p, now + 4 * US_MINUTE);
    }
    assert_int_equal(place_open(p, START + US_DAY), 0);
    place_beat(p, "jp-01", START + US_DAY);
    place_beat(p, "kr-01", START + US_DAY);
    state_is(p, 0, "up", START + US_DAY, START + US_DAY);
    state_is(p, 2, "up", START + US_DAY, START + US_DAY);
}

static void forgets(void **state)
{
    struct place *p = *state;
    place_beat(p, "jp-01", START);
    place_beat(p, "jp-02", START);
    fleet_forget(p->fleet, "jp-01");
    fleet_forget(p->fleet, "nowhere");
    json_t *rows = fleet_rows(p->fleet, START);
    assert_int_equal(json_array_size(rows), 1);
    assert_string_equal(member(json_array_get(rows, 0), "site"), "jp-02");
    json_decref(rows);
}

static void many(void **state)
{
    struct place *p = *state;
    struct fault f;
    char name[16];
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "s-%04d", i * 7919 % 10000);
        place_beat(p, name, START);
    }
    json_t *rows = fleet_rows(p->fleet, START);
    assert_int_equal(json_array_size(rows), 300);
    for (size_t i = 1; i < 300; i++)
        assert_true(strcmp(member(json_array_get(rows, i - 1), "site"),
                        member(json_array_get(rows, i), "site")) < 0);
    json_decref(rows);
    struct heartbeat h = beat_of("s-0000", START);
    assert_int_equal(fleet_heartbeat(p->fleet, &h, START, &f), OK);
}

static const struct CMUnitTest tests[] = {
    SAYS_WITH(
        "every change of a site's state is told once", tells_changes, place_make, place_drop),
    SAYS_WITH("availability and repair times of ten days are those worked out by hand",
        ten_days, place_make, place_drop),
    SAYS_WITH("one site is told with its figures and what happened, newest first", tells_one,
        place_make, place_drop),
    SAYS_WITH(
        "time in which the hub did not run is unwatched", known_again, place_make, place_drop),
    SAYS_WITH("a hub that was killed has watched until shortly before", killed, place_make,
        place_drop),
    SAYS_WITH("when a site was last heard is known also to the hubs after", heard_before,
        place_make, place_drop),
    SAYS_WITH("who was invited, and who has read its captures, is that also to the hubs after",
        rests, place_make, place_drop),
    SAYS_WITH("a site that is forgotten is shown no more", forgets, place_make, place_drop),
    SAYS_WITH("sites are in order of name, however they came", many, place_make, place_drop),
};
TEST_MAIN(tests)
