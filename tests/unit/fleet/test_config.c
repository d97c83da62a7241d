#include "place.h"

#include "fleet/config.h"

/* A bus that keeps the last parcel of each site, or fails. */
struct fake_bus {
    char site[64];
    char parcel[4096];
    int count;
    bool fails;
};

static enum err take(void *context, const char *site, struct bytes parcel, struct fault *f)
{
    struct fake_bus *bus = context;
    if (bus->fails)
        return fault_set(f, ERR_IO, "the bus is away");
    bus->count++;
    snprintf(bus->site, sizeof bus->site, "%s", site);
    snprintf(
        bus->parcel, sizeof bus->parcel, "%.*s", (int)parcel.left, (const char *)parcel.at);
    return OK;
}

static void use(struct place *p, struct fake_bus *bus)
{
    fleet_push_by(p->fleet, &(struct fleet_push){bus, take});
}

static struct fleet_changed set(
    struct place *p, const char *assignment, int64_t base, int64_t now)
{
    struct site_document d;
    struct fleet_changed changed;
    struct fault f = {0};
    int64_t version;
    assert_int_equal(fleet_newest(p->fleet, "jp-01", &d, &version, &f), OK);
    assert_int_equal(document_set(&d, assignment, &f), OK);
    struct fleet_change_wanted wanted = {"jp-01", &d, base, "ann", "why not"};
    assert_int_equal(fleet_configure(p->fleet, &wanted, now, &changed, &f), OK);
    return changed;
}

static json_t *config_of(struct place *p)
{
    json_t *config = NULL;
    struct fault f = {0};
    assert_int_equal(fleet_config(p->fleet, "jp-01", &config, &f), OK);
    return config;
}

static int64_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static void beat_with(struct place *p, int64_t version, const char *refused, int64_t now)
{
    struct heartbeat h = beat_of("jp-01", now);
    struct fault f;
    h.config_version = version;
    snprintf(h.config_refused, sizeof h.config_refused, "%s", refused);
    assert_int_equal(fleet_heartbeat(p->fleet, &h, now, &f), OK);
}

static void versions(void **state)
{
    struct place *p = *state;
    struct fake_bus bus = {.count = 0};
    use(p, &bus);
    place_beat(p, "jp-01", START);
    struct fleet_changed changed = set(p, "payload=10", 0, START);
    assert_true(changed.version == 1 && changed.pushed && !changed.same);
    assert_non_null(strstr(bus.parcel, "\"version\":1,"));
    assert_non_null(strstr(bus.parcel, "\"payload\":10,"));
    changed = set(p, "payload=10", 1, START);
    assert_true(changed.version == 1 && changed.same);
    assert_int_equal(bus.count, 1);
    set(p, "payload=20", 1, START + US_SECOND);
    json_t *config = config_of(p);
    assert_int_equal(number(config, "version"), 2);
    const json_t *rows = json_object_get(config, "versions");
    assert_int_equal(json_array_size(rows), 2);
    const json_t *second = json_array_get(rows, 0);
    assert_int_equal(number(second, "version"), 2);
    assert_string_equal(json_string_value(json_object_get(second, "who")), "ann");
    const json_t *change = json_array_get(json_object_get(second, "changed"), 0);
    assert_int_equal(number(change, "before"), 10);
    assert_int_equal(number(change, "after"), 20);
    assert_int_equal(
        number(
            json_array_get(json_object_get(json_array_get(rows, 1), "changed"), 0), "before"),
        64);
    json_decref(config);
}

/* What the site said that it does by itself. */
static void own_is(struct place *p, const struct site_document *own)
{
    struct fault f = {0};
    assert_int_equal(fleet_own(p->fleet, "jp-01", own, START, &f), OK);
}

static void member_changed(struct place *p, size_t count, const char *name)
{
    json_t *config = config_of(p);
    const json_t *rows = json_object_get(config, "versions");
    const json_t *changed = json_object_get(json_array_get(rows, 0), "changed");
    assert_int_equal(json_array_size(rows), 1);
    assert_int_equal(json_array_size(changed), count);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(changed, 0), "member")), name);
    json_decref(config);
}

static void from_its_own(void **state)
{
    struct place *p = *state;
    struct fake_bus bus = {.count = 0};
    struct site_document own, d;
    struct fault f = {0};
    int64_t version;
    place_beat(p, "jp-01", START);
    document_default(&own);
    own.batch = US_SECOND / 5;
    anon_policy_open(&own.anonymisation);
    own_is(p, &own);
    place_close(p, START + US_SECOND); /* it is known also to the hub after */
    assert_int_equal(place_open(p, START + US_MINUTE), 0);
    use(p, &bus);
    assert_int_equal(fleet_newest(p->fleet, "jp-01", &d, &version, &f), OK);
    assert_true(version == 0 && document_same(&d, &own));
    assert_int_equal(set(p, "payload=128", 0, START + US_MINUTE).version, 1);
    member_changed(p, 1, "payload");
    assert_int_equal(fleet_newest(p->fleet, "jp-01", &d, &version, &f), OK);
    own.payload = 128;
    assert_true(version == 1 && document_same(&d, &own));
    own.payload = 64;
    assert_int_equal(fleet_version(p->fleet, "jp-01", 0, &d, &f), OK);
    assert_true(document_same(&d, &own));
}

static void not_there(void **state)
{
    struct place *p = *state;
    struct site_document d, initial;
    struct fault f = {0};
    place_beat(p, "jp-01", START);
    document_default(&initial);
    assert_int_equal(fleet_version(p->fleet, "jp-01", 0, &d, &f), OK);
    assert_true(document_same(&d, &initial));
    assert_int_equal(fleet_version(p->fleet, "jp-01", 1, &d, &f), ERR_NOTFOUND);
    assert_string_equal(f.text, "jp-01 has no version 1 of its document");
    assert_int_equal(fleet_version(p->fleet, "xx-01", 0, &d, &f), ERR_NOTFOUND);
    assert_string_equal(f.text, "there is no site xx-01 that runs by itself");
}

static enum err check(struct place *p, const char *assignment, struct fault *f)
{
    struct site_document d;
    int64_t version;
    assert_int_equal(fleet_newest(p->fleet, "jp-01", &d, &version, f), OK);
    assert_int_equal(document_set(&d, assignment, f), OK);
    enum err e = fleet_check(p->fleet, "jp-01", &d, f);
    struct fleet_changed changed;
    struct fleet_change_wanted wanted = {"jp-01", &d, 0, "ann", ""};
    if (e)
        assert_int_equal(fleet_configure(p->fleet, &wanted, START, &changed, f), e);
    return e;
}

static void within_its_own(void **state)
{
    struct place *p = *state;
    struct site_document own;
    struct fault f = {0};
    place_beat(p, "jp-01", START);
    assert_int_equal(check(p, "anonymisation.destination=keep", &f), OK); /* nobody knows */
    document_default(&own);
    own_is(p, &own);
    assert_int_equal(check(p, "anonymisation.destination=keep", &f), ERR_DENIED);
    assert_non_null(strstr(f.text, "destination: keep reveals more than the site allows"));
    assert_int_equal(check(p, "payload=128", &f), ERR_DENIED);
    assert_non_null(strstr(f.text, "anonymisation.payload lets out the first 64"));
    assert_int_equal(check(p, "payload=64", &f), OK);
    assert_int_equal(check(p, "anonymisation.destination=drop", &f), OK);
    json_t *config = config_of(p);
    assert_int_equal(number(config, "version"), 0);
    json_decref(config);
}

static void faster(void **state)
{
    struct place *p = *state;
    struct site_document d;
    struct fleet_changed changed;
    struct fault f = {0};
    place_beat(p, "jp-01", START);
    set(p, "payload=10", 0, START);
    set(p, "payload=11", 0, START);
    document_default(&d);
    struct fleet_change_wanted wanted = {"jp-01", &d, 1, "bob", ""};
    assert_int_equal(fleet_configure(p->fleet, &wanted, START, &changed, &f), ERR_EXISTS);
    assert_non_null(strstr(f.text, "the newest is 2"));
    wanted.site = "nowhere";
    assert_int_equal(fleet_configure(p->fleet, &wanted, START, &changed, &f), ERR_NOTFOUND);
}

static void answers(void **state)
{
    struct place *p = *state;
    struct fake_bus bus = {.count = 0};
    use(p, &bus);
    beat_with(p, 0, "", START);
    set(p, "payload=10", 0, START);
    beat_with(p, 1, "", START + 40000);
    json_t *config = config_of(p);
    const json_t *row = json_array_get(json_object_get(config, "versions"), 0);
    assert_int_equal(number(row, "took_ms"), 40);
    json_decref(config);
    set(p, "payload=11", 0, START + US_SECOND);
    beat_with(p, 1, "no such thing", START + 2 * US_SECOND);
    place_look(p, START + 3 * US_SECOND);
    json_t *rows = fleet_rows(p->fleet, START + 3 * US_SECOND);
    const json_t *site = json_array_get(rows, 0);
    assert_string_equal(json_string_value(json_object_get(site, "state")), "degraded");
    const json_t *way = json_object_get(site, "config");
    assert_int_equal(number(way, "version"), 2);
    assert_int_equal(number(way, "in_effect"), 1);
    assert_string_equal(json_string_value(json_object_get(way, "refused")), "no such thing");
    json_decref(rows);
}

static void tried_again(void **state)
{
    struct place *p = *state;
    struct fake_bus bus = {.fails = true};
    place_beat(p, "jp-01", START);
    use(p, &bus);
    struct fleet_changed changed = set(p, "payload=10", 0, START);
    assert_false(changed.pushed);
    assert_string_equal(changed.fault.text, "the bus is away");
    place_look(p, START + 5 * US_SECOND);
    assert_int_equal(bus.count, 0);
    bus.fails = false;
    place_look(p, START + 6 * US_SECOND); /* too soon after the last try */
    assert_int_equal(bus.count, 0);
    place_look(p, START + 8 * US_SECOND);
    place_look(p, START + 20 * US_SECOND);
    assert_int_equal(bus.count, 1);
    assert_non_null(strstr(bus.parcel, "\"payload\":10,"));
}

static void missed(void **state)
{
    struct place *p = *state;
    struct fake_bus bus = {.count = 0};
    use(p, &bus);
    beat_with(p, 0, "", START);
    set(p, "payload=10", 0, START);
    beat_with(p, 0, "", START + US_SECOND / 10); /* its only word for long: it came back late */
    place_look(p, START + US_SECOND);
    assert_int_equal(bus.count, 1); /* the push may still be on its way */
    place_look(p, START + 3 * US_SECOND);
    assert_int_equal(bus.count, 2);
    beat_with(p, 1, "", START + 4 * US_SECOND);
    place_look(p, START + 10 * US_SECOND);
    assert_int_equal(bus.count, 2);
}

/* A bus that lost its memory gets everything when the hub starts again. */
static void pushed_at_start(void **state)
{
    struct place *p = *state;
    struct fake_bus bus = {.count = 0};
    use(p, &bus);
    place_beat(p, "jp-01", START);
    set(p, "payload=10", 0, START);
    place_close(p, START + US_SECOND);
    assert_int_equal(place_open(p, START + US_MINUTE), 0);
    bus = (struct fake_bus){.count = 0};
    use(p, &bus);
    place_look(p, START + US_MINUTE);
    assert_int_equal(bus.count, 1);
    assert_non_null(strstr(bus.parcel, "\"version\":1,"));
}

static enum err count_audit(void *context, const struct catalog_audit *a)
{
    int *count = context;
    *count += strcmp(a->what, "site.config") == 0 && strcmp(a->subject, "jp-01") == 0 &&
              strstr(a->detail, "version=1 why not") != NULL;
    return OK;
}

static void audited(void **state)
{
    struct place *p = *state;
    int count = 0;
    place_beat(p, "jp-01", START);
    set(p, "payload=10", 0, START);
    assert_int_equal(catalog_audit_list(p->catalog, 0, 10, count_audit, &count), OK);
    assert_int_equal(count, 1);
}

static int64_t ask(struct place *p, const char *what, enum err want, int64_t now)
{
    struct site_action a;
    struct fault f = {0};
    int64_t id = 0;
    assert_int_equal(
        site_action_parse(what, strcmp(what, "restart") ? "" : "kizashi-sensor", &a, &f), OK);
    assert_int_equal(
        fleet_act(p->fleet, &(struct fleet_asked){"jp-01", &a, "ann"}, now, &id, &f), want);
    return id;
}

static const char *result_of(struct place *p, size_t i, char text[128])
{
    json_t *actions = NULL;
    assert_int_equal(fleet_actions(p->fleet, "jp-01", &actions), OK);
    const json_t *row = json_array_get(json_object_get(actions, "rows"), i);
    snprintf(text, 128, "%s %s: %s", json_string_value(json_object_get(row, "what")),
        json_is_null(json_object_get(row, "finished")) ? "waits" : "over",
        json_string_value(json_object_get(row, "result")));
    json_decref(actions);
    return text;
}

static void acts(void **state)
{
    struct place *p = *state;
    struct fake_bus bus = {.count = 0};
    char told[128];
    use(p, &bus);
    place_beat(p, "jp-01", START);
    int64_t id = ask(p, "restart", OK, START);
    assert_true(id > 0);
    assert_non_null(strstr(bus.parcel, "\"version\":0,"));
    assert_non_null(strstr(bus.parcel, "\"what\":\"restart\",\"service\":\"kizashi-sensor\""));
    assert_string_equal(result_of(p, 0, told), "restart waits: ");
    ask(p, "reboot", ERR_BUSY, START + US_SECOND);
    assert_string_equal(result_of(p, 0, told), "restart waits: ");
    struct heartbeat h = beat_of("jp-01", START + 2 * US_SECOND);
    struct fault f;
    h.action_id = id;
    assert_int_equal(fleet_heartbeat(p->fleet, &h, START + 2 * US_SECOND, &f), OK);
    assert_string_equal(result_of(p, 0, told), "restart over: ");
    set(p, "payload=10", 0, START); /* a change does not ask for it again */
    assert_null(strstr(bus.parcel, "restart"));
    ask(p, "reboot", OK, START + US_MINUTE);
    place_look(p, START + 8 * US_MINUTE);
    assert_string_equal(result_of(p, 0, told), "reboot over: the site did not answer in time");
    bus.fails = true;
    ask(p, "upgrade", ERR_IO, START + 9 * US_MINUTE);
    assert_string_equal(result_of(p, 0, told), "upgrade over: the bus is away");
}

static void only_ours(void **state)
{
    (void)state;
    static const struct {
        const char *what, *service;
    } wrong[] = {{"restart", ""}, {"restart", "ssh"}, {"restart", "kizashi;reboot"},
        {"restart", "kizashi/../x"}, {"restart", "kizashi..x"}, {"reboot", "kizashi-sensor"},
        {"format", ""}, {"", ""}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct site_action a;
        struct fault f;
        assert_int_equal(site_action_parse(wrong[i].what, wrong[i].service, &a, &f), ERR_BAD);
    }
}

static const struct CMUnitTest tests[] = {
    SAYS("only services of kizashi can be restarted, and nothing unknown be asked", only_ours),
    SAYS_WITH("an action is pushed once, answered or over in time, and kept with its result",
        acts, place_make, place_drop),
    SAYS_WITH("each change is a version that says who, why and what", versions, place_make,
        place_drop),
    SAYS_WITH("who changes a version that is not the newest is told so", faster, place_make,
        place_drop),
    SAYS_WITH("the site's word that it is in effect, or why not, is kept", answers, place_make,
        place_drop),
    SAYS_WITH("what could not be pushed is pushed later", tried_again, place_make, place_drop),
    SAYS_WITH("what a site missed is pushed again, after a single word of it", missed,
        place_make, place_drop),
    SAYS_WITH("every document is pushed anew when the hub starts", pushed_at_start, place_make,
        place_drop),
    SAYS_WITH("the first document begins from what the site does by itself, its version 0",
        from_its_own, place_make, place_drop),
    SAYS_WITH("version 0 is the default before the site spoke; others are there or told",
        not_there, place_make, place_drop),
    SAYS_WITH("what reveals more than the site said that it lets out is refused",
        within_its_own, place_make, place_drop),
    SAYS_WITH("a change is in the audit log", audited, place_make, place_drop),
};
TEST_MAIN(tests)
