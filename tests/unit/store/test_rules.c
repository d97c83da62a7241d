#include "test.h"

#include "base/clock.h"
#include "store/catalog_forecasts.h"
#include "store/catalog_rules.h"

#include <stdio.h>
#include <string.h>

struct place {
    char folder[64];
    struct catalog *catalog;
};

static int place_make(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    struct fault f;
    char path[96];
    snprintf(p->folder, sizeof p->folder, "/tmp/kizashi-test-XXXXXX");
    if (!mkdtemp(p->folder))
        return -1;
    snprintf(path, sizeof path, "%s/catalog.sqlite", p->folder);
    *state = p;
    return catalog_open(&p->catalog, path, &f) == OK ? 0 : -1;
}

static int place_drop(void **state)
{
    struct place *p = *state;
    char command[128];
    catalog_close(p->catalog);
    snprintf(command, sizeof command, "rm -r %s", p->folder);
    int status = system(command);
    free(p);
    return status;
}

/* What tests vary of an alert. */
struct form {
    const char *id;
    uint32_t revision;
    int64_t end;
    enum severity severity;
    const char *engine, *sites, *hosts;
};

static const struct form usual = {.id = "a",
    .revision = 1,
    .end = 100,
    .severity = SEVERITY_NOTICE,
    .engine = "[\"surge\",\"lead\"]",
    .sites = "[\"us-01\"]",
    .hosts = "[\"198.51.100.7\"]"};

static void put(struct place *p, struct form x)
{
    char json[600];
    struct fault f;
    snprintf(json, sizeof json,
        "{\"kind\":\"port-surge\",\"engine\":%s,\"proto\":\"tcp\",\"ports\":[9200],"
        "\"sites\":%s,\"hosts\":%s}",
        x.engine, x.sites, x.hosts);
    struct catalog_alert a = {.time = 50,
        .start = 40,
        .end = x.end,
        .severity = x.severity,
        .kind = "port-surge",
        .open = true,
        .revision = x.revision,
        .json = json,
        .json_len = strlen(json)};
    snprintf(a.id, sizeof a.id, "%s", x.id);
    assert_int_equal(catalog_window_put(p->catalog, &a, 1, NULL, 0, &f), OK);
}

static enum err found_copy(void *context, const struct catalog_alert *a)
{
    *(struct catalog_alert *)context = *a;
    return OK;
}

static struct catalog_alert found(struct place *p, const char *id)
{
    struct catalog_alert a;
    assert_int_equal(catalog_alert_find(p->catalog, id, found_copy, &a), OK);
    return a;
}

static struct catalog_rule rule_of(const char *scope)
{
    struct catalog_rule r = {.severity = SEVERITY_NOTICE,
        .state = STATE_KNOWN,
        .made = 60,
        .until = 1000,
        .alert = "a",
        .why = "survey of a university",
        .by = "akiko"};
    snprintf(r.scope, sizeof r.scope, "%s", scope);
    return r;
}

static int64_t add(struct place *p, const char *scope)
{
    int64_t id = 0;
    struct fault f = {0};
    struct catalog_rule r = rule_of(scope);
    assert_int_equal(catalog_rule_add(p->catalog, &r, &id, &f), OK);
    return id;
}

#define AT_US "{\"proto\":\"tcp\",\"ports\":[9200],\"sites\":[\"us-01\"]}"

static void mark(struct place *p, const char *id, enum catalog_state state)
{
    struct fault f;
    assert_int_equal(catalog_alert_mark(p->catalog, id,
                         &(struct catalog_mark){state, "seen", "akiko", 70}, &f),
        OK);
}

static enum err last_audit(void *context, const struct catalog_audit *a)
{
    *(struct catalog_audit *)context = *a;
    return OK;
}

static void a_rule_covers_what_is_there_and_what_comes(void **state)
{
    struct place *p = *state;
    put(p, usual);
    int64_t id = add(p, AT_US);
    assert_int_equal(found(p, "a").rule, id);
    struct form later = usual;
    later.id = "b";
    put(p, later);
    assert_int_equal(found(p, "b").rule, id);
    later.id = "c";
    later.sites = "[\"kr-01\"]";
    put(p, later);
    assert_int_equal(found(p, "c").rule, 0);
}

static void comes_back(struct place *p, struct form grown, const char *why)
{
    struct catalog_audit audit;
    mark(p, "a", STATE_KNOWN);
    grown.revision = 2;
    put(p, grown);
    struct catalog_alert a = found(p, "a");
    assert_int_equal(a.rule, 0);
    assert_int_equal(a.state, STATE_NEW);
    assert_string_equal(a.back, why);
    assert_int_equal(catalog_audit_list(p->catalog, 0, 1, last_audit, &audit), OK);
    assert_string_equal(audit.what, "alert.back");
    assert_string_equal(audit.who, "system");
}

static void a_higher_severity_comes_back(void **state)
{
    struct form grown = usual;
    grown.severity = SEVERITY_WARNING;
    put(*state, usual);
    add(*state, AT_US);
    comes_back(*state, grown, "it has grown to warning");
}

static void a_new_site_comes_back(void **state)
{
    struct form grown = usual;
    grown.sites = "[\"us-01\",\"kr-01\"]";
    put(*state, usual);
    add(*state, AT_US);
    comes_back(*state, grown, "it has come to kr-01");
}

static void what_outlasts_the_date_comes_back(void **state)
{
    struct form grown = usual;
    grown.end = 1000;
    put(*state, usual);
    add(*state, AT_US);
    comes_back(*state, grown, "the suppression has ended");
}

static void another_engine_comes_back_and_the_joiner_is_none(void **state)
{
    struct place *p = *state;
    struct form grown = usual;
    put(p, usual);
    int64_t id = add(p, "{\"engine\":\"surge\"}");
    assert_int_equal(found(p, "a").rule, id);
    grown.engine = "[\"surge\",\"lead\",\"nmf\"]";
    comes_back(p, grown, "other engines see it, too");
}

static void hosts_outside_of_the_network_come_back(void **state)
{
    struct place *p = *state;
    struct form grown = usual;
    put(p, usual);
    int64_t id = add(p, "{\"network\":\"198.51.100.0/24\"}");
    assert_int_equal(found(p, "a").rule, id);
    struct form hidden = usual;
    hidden.id = "b";
    hidden.hosts = "[]";
    put(p, hidden);
    assert_int_equal(found(p, "b").rule, 0);
    grown.hosts = "[\"198.51.100.7\",\"203.0.113.9\"]";
    comes_back(p, grown, "hosts outside of 198.51.100.0/24 take part");
}

static void right_and_seen_are_never_suppressed(void **state)
{
    struct place *p = *state;
    put(p, usual);
    mark(p, "a", STATE_RIGHT);
    add(p, AT_US);
    assert_int_equal(found(p, "a").rule, 0);
    mark(p, "a", STATE_NEW);
    struct form later = usual;
    later.revision = 2;
    put(p, later);
    assert_true(found(p, "a").rule > 0);
    mark(p, "a", STATE_SEEN);
    assert_int_equal(found(p, "a").rule, 0);
}

static enum err rule_copy(void *context, const struct catalog_rule *r)
{
    struct catalog_rule *first = context;
    if (!first->id)
        *first = *r;
    return OK;
}

static void a_revoked_rule_lets_go_unless_another_covers(void **state)
{
    struct place *p = *state;
    struct fault f;
    put(p, usual);
    int64_t narrow = add(p, AT_US);
    int64_t wide = add(p, "{\"kind\":\"port-surge\"}");
    assert_int_equal(found(p, "a").rule, narrow);
    assert_int_equal(catalog_rule_revoke(p->catalog, narrow, "kenji", 80, &f), OK);
    assert_int_equal(found(p, "a").rule, wide);
    assert_int_equal(catalog_rule_revoke(p->catalog, wide, "kenji", 90, &f), OK);
    assert_int_equal(found(p, "a").rule, 0);
    assert_string_equal(found(p, "a").back, "the suppression was revoked");
    assert_int_equal(catalog_rule_revoke(p->catalog, wide, "kenji", 90, &f), ERR_NOTFOUND);
    struct catalog_rule r = {0};
    assert_int_equal(catalog_rules(p->catalog, rule_copy, &r), OK);
    assert_int_equal(r.id, wide);
    assert_string_equal(r.revoked_by, "kenji");
    assert_int_equal(r.revoked, 90);
    assert_string_equal(r.why, "survey of a university");
}

static void a_rule_needs_scope_reason_and_end(void **state)
{
    struct place *p = *state;
    struct fault f;
    int64_t id;
    struct catalog_rule r = rule_of("{}");
    assert_int_equal(catalog_rule_add(p->catalog, &r, &id, &f), ERR_BAD);
    r = rule_of(AT_US);
    r.why[0] = 0;
    assert_int_equal(catalog_rule_add(p->catalog, &r, &id, &f), ERR_BAD);
    r = rule_of(AT_US);
    r.until = r.made;
    assert_int_equal(catalog_rule_add(p->catalog, &r, &id, &f), ERR_BAD);
    r = rule_of(AT_US);
    r.state = STATE_RIGHT;
    assert_int_equal(catalog_rule_add(p->catalog, &r, &id, &f), ERR_BAD);
    r = rule_of("{\"network\":\"198.51.100.1/24\"}");
    assert_int_equal(catalog_rule_add(p->catalog, &r, &id, &f), ERR_BAD);
}

static void a_scope_is_made_of_an_alert(void **state)
{
    (void)state;
    unsigned parts;
    assert_int_equal(rule_parts_parse("kind,port,site", &parts), OK);
    assert_int_equal(parts, RULE_KIND | RULE_PORT | RULE_SITE);
    assert_int_equal(rule_parts_parse("kind,", &parts), ERR_BAD);
    assert_int_equal(rule_parts_parse("", &parts), ERR_BAD);
    json_t *alert = json_pack("{s:s, s:[s,s], s:s, s:[i], s:[s]}", "kind", "port-surge",
        "engine", "surge", "lead", "proto", "tcp", "ports", 9200, "sites", "us-01");
    json_t *scope = rule_scope(alert, RULE_PORT | RULE_SITE | RULE_ENGINE, NULL);
    json_t *expected = json_pack("{s:s, s:s, s:[i], s:[s]}", "engine", "surge", "proto", "tcp",
        "ports", 9200, "sites", "us-01");
    assert_true(json_equal(scope, expected));
    assert_null(rule_scope(alert, 0, NULL));
    json_decref(expected);
    json_decref(scope);
    json_decref(alert);
}

static enum err forecast_count(void *context, const struct catalog_forecast *f)
{
    char *text = context;
    snprintf(text + strlen(text), 64 - strlen(text), "%s:%s ", f->site, f->state);
    return OK;
}

static void forecasts_are_kept_with_their_outcome(void **state)
{
    struct place *p = *state;
    struct fault f;
    const char json[] = "{\"x\":1}";
    struct catalog_forecast two[] = {
        {.alert = "a", .site = "jp-01", .made = 10, .state = "open", .json = json},
        {.alert = "a", .site = "kr-01", .made = 20, .state = "open", .json = json}};
    two[0].json_len = two[1].json_len = strlen(json);
    assert_int_equal(catalog_forecasts_put(p->catalog, two, 2, &f), OK);
    snprintf(two[0].state, sizeof two[0].state, "came");
    assert_int_equal(catalog_forecasts_put(p->catalog, two, 1, &f), OK);
    char text[64] = "";
    struct catalog_forecast_query q = {0};
    assert_int_equal(catalog_forecasts(p->catalog, &q, forecast_count, text, &f), OK);
    assert_string_equal(text, "kr-01:open jp-01:came ");
    q.state = "came";
    text[0] = 0;
    assert_int_equal(catalog_forecasts(p->catalog, &q, forecast_count, text, &f), OK);
    assert_string_equal(text, "jp-01:came ");
    two[1].site[0] = 0;
    assert_int_equal(catalog_forecasts_put(p->catalog, two, 2, &f), ERR_BAD);
}

#define CASE(sentence, function) SAYS_WITH(sentence, function, place_make, place_drop)

static const struct CMUnitTest tests[] = {
    CASE("a suppression covers what is there and what comes, and nothing else",
        a_rule_covers_what_is_there_and_what_comes),
    CASE("an alert that grows to a higher severity comes back", a_higher_severity_comes_back),
    CASE("an alert that comes to a new site comes back", a_new_site_comes_back),
    CASE("an alert that outlasts the date comes back", what_outlasts_the_date_comes_back),
    CASE("an alert that another engine sees comes back; what joins them is no engine",
        another_engine_comes_back_and_the_joiner_is_none),
    CASE("an alert with hosts outside of the network comes back, hidden hosts are in none",
        hosts_outside_of_the_network_come_back),
    CASE("what somebody called right or has in hand is never suppressed",
        right_and_seen_are_never_suppressed),
    CASE("a revoked suppression lets go of its alerts unless another covers them",
        a_revoked_rule_lets_go_unless_another_covers),
    CASE("a suppression needs a scope, a reason and an end", a_rule_needs_scope_reason_and_end),
    CASE("a scope is made of parts of an alert", a_scope_is_made_of_an_alert),
    CASE("forecasts are kept with their outcome", forecasts_are_kept_with_their_outcome),
};
TEST_MAIN(tests)
