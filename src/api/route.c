#include "api/route_int.h"

#include "api/handler_int.h"

#include <stdio.h>
#include <string.h>

/* Filters of all questions about traffic. */
#define NARROW_PACKETS                                                                         \
    P_FROM, P_TO, P_SITE, P_COUNTRY, P_TOOL, P_CLASS, P_PROTO, P_PORT, P_ASN, P_SRC
#define NARROW NARROW_PACKETS, P_TAG
#define PAGED  P_LIMIT, P_CURSOR, P_FORMAT

const struct route routes[] = {
    {"login", "POST", "/login", FOR_ALL, 0, handle_login, {B_USER, B_SECRET},
        {B_USER, B_SECRET}},
    {"enrol", "POST", "/enrol", FOR_ALL, 0, handle_enrol, {B_TOKEN, B_REQUEST},
        {B_TOKEN, B_REQUEST}},
    {"renew", "POST", "/renew", FOR_ALL, 0, handle_renew, {B_CERTIFICATE, B_REQUEST, B_PROOF},
        {B_CERTIFICATE, B_REQUEST, B_PROOF}},
    {"logout", "POST", "/logout", FOR_PARTNER, ROUTE_SESSION, handle_logout, {0}, {0}},
    {"me", "GET", "/me", FOR_PARTNER, 0, handle_me, {0}, {0}},
    {"password", "POST", "/me/password", FOR_PARTNER, ROUTE_SESSION, handle_password,
        {B_OLD, B_NEW}, {B_OLD, B_NEW}},
    {"users", "GET", "/users", FOR_ADMIN, 0, handle_users, {0}, {0}},
    {"user_create", "POST", "/users", FOR_ADMIN, 0, handle_user_create,
        {B_USER, B_PASSWORD, B_ROLE}, {B_USER, B_PASSWORD}},
    {"user_change", "PATCH", "/users/{user}", FOR_ADMIN, 0, handle_user_change,
        {P_USER_NAME, B_ROLE, B_PASSWORD, B_DISABLED}, {0}},
    {"user_delete", "DELETE", "/users/{user}", FOR_ADMIN, 0, handle_user_delete, {P_USER_NAME},
        {0}},
    {"tokens", "GET", "/tokens", FOR_VIEWER, 0, handle_tokens, {0}, {0}},
    {"token_create", "POST", "/tokens", FOR_VIEWER, ROUTE_SESSION, handle_token_create,
        {B_LABEL, B_ROLE, B_EXPIRES_IN}, {B_LABEL}},
    {"token_delete", "DELETE", "/tokens/{token}", FOR_VIEWER, 0, handle_token_delete,
        {P_TOKEN_ID}, {0}},
    {"audit", "GET", "/audit", FOR_ADMIN, 0, handle_audit, {PAGED}, {0}},
    {"backup", "POST", "/backup", FOR_ADMIN, 0, handle_backup, {P_TURN}, {0}},
    {"overview", "GET", "/overview", FOR_VIEWER, ROUTE_SHARED, handle_overview,
        {P_LAST, P_SITE, P_TAG}, {0}},
    {"alerts", "GET", "/alerts", FOR_VIEWER, 0, handle_alerts,
        {P_STATUS, P_STATE, P_SUPPRESSED, P_SEVERITY, P_KIND, P_ENGINE, P_WORDS, P_FROM, P_TO,
            P_SITE, P_COUNTRY, P_PROTO, P_PORT, PAGED},
        {0}},
    {"alert", "GET", "/alerts/{alert}", FOR_VIEWER, 0, handle_alert, {P_ALERT_ID}, {0}},
    {"alert_change", "PATCH", "/alerts/{alert}", FOR_ADMIN, 0, handle_alert_change,
        {P_ALERT_ID, B_STATE, B_NOTE, B_UNTIL, B_SCOPE, B_NETWORK}, {0}},
    {"suppressions", "GET", "/suppressions", FOR_VIEWER, 0, handle_suppressions, {0}, {0}},
    {"suppression_delete", "DELETE", "/suppressions/{suppression}", FOR_ADMIN, 0,
        handle_suppression_delete, {P_RULE_ID}, {0}},
    {"forecasts", "GET", "/forecasts", FOR_VIEWER, 0, handle_forecasts,
        {P_ALERT, P_SITE, P_OUTCOME, P_LIMIT}, {0}},
    {"totals", "GET", "/totals", FOR_VIEWER, ROUTE_SHARED, handle_totals, {NARROW, PAGED}, {0}},
    {"series", "GET", "/series", FOR_VIEWER, ROUTE_SHARED, handle_series,
        {P_STEP, P_BY, P_MEASURE, P_LINES, NARROW, P_FORMAT}, {0}},
    {"ports", "GET", "/ports", FOR_VIEWER, ROUTE_SHARED, handle_ports, {NARROW, PAGED}, {0}},
    {"movers", "GET", "/movers", FOR_VIEWER, ROUTE_SHARED, handle_movers, {NARROW, PAGED}, {0}},
    {"sources", "GET", "/sources", FOR_VIEWER, ROUTE_SHARED, handle_sources, {NARROW, PAGED},
        {0}},
    {"source", "GET", "/sources/{address}", FOR_VIEWER, ROUTE_SHARED, handle_source,
        {P_ADDRESS, P_FROM, P_TO, P_SITE, P_TOOL, P_CLASS, P_PROTO, P_PORT, PAGED}, {0}},
    {"countries", "GET", "/countries", FOR_VIEWER, ROUTE_SHARED, handle_countries,
        {NARROW, PAGED}, {0}},
    {"asns", "GET", "/asns", FOR_VIEWER, ROUTE_SHARED, handle_asns, {NARROW, PAGED}, {0}},
    {"tools", "GET", "/tools", FOR_VIEWER, ROUTE_SHARED, handle_tools, {NARROW, PAGED}, {0}},
    {"classes", "GET", "/classes", FOR_VIEWER, ROUTE_SHARED, handle_classes, {NARROW, PAGED},
        {0}},
    {"screened", "GET", "/screened", FOR_VIEWER, ROUTE_SHARED, handle_screened,
        {NARROW, P_REASON, PAGED}, {0}},
    {"tagged", "GET", "/tagged", FOR_VIEWER, ROUTE_SHARED, handle_tagged,
        {NARROW, P_REASON, PAGED}, {0}},
    {"sites", "GET", "/sites", FOR_VIEWER, ROUTE_SHARED, handle_sites,
        {P_FROM, P_TO, P_SITE, P_FORMAT}, {0}},
    {"site", "GET", "/sites/{site_name}", FOR_VIEWER, ROUTE_SHARED, handle_site,
        {P_SITE_NAME, P_FROM, P_TO}, {0}},
    {"losses", "GET", "/losses", FOR_VIEWER, ROUTE_SHARED, handle_losses,
        {P_STEP, P_FROM, P_TO, P_SITE, P_FORMAT}, {0}},
    {"victims", "GET", "/victims", FOR_VIEWER, ROUTE_SHARED, handle_victims,
        {P_FROM, P_TO, P_SITE, P_COUNTRY, P_PROTO, P_PORT, P_ASN, P_SRC, PAGED}, {0}},
    {"fleet", "GET", "/fleet", FOR_VIEWER, 0, handle_fleet, {0}, {0}},
    {"fleet_site", "GET", "/fleet/{site_name}", FOR_VIEWER, 0, handle_fleet_site,
        {P_SITE_NAME, P_SPAN}, {0}},
    {"site_config", "GET", "/fleet/{site_name}/config", FOR_VIEWER, 0, handle_site_config,
        {P_SITE_NAME}, {0}},
    {"site_configure", "POST", "/fleet/{site_name}/config", FOR_ADMIN, 0, handle_site_configure,
        {P_SITE_NAME, B_DOCUMENT, B_VERSION, B_BASE, B_WHY, B_CHECK}, {0}},
    {"site_version", "GET", "/fleet/{site_name}/config/{version}", FOR_VIEWER, 0,
        handle_site_version, {P_SITE_NAME, P_VERSION}, {0}},
    {"site_actions", "GET", "/fleet/{site_name}/actions", FOR_VIEWER, 0, handle_site_actions,
        {P_SITE_NAME}, {0}},
    {"site_act", "POST", "/fleet/{site_name}/actions", FOR_ADMIN, 0, handle_site_act,
        {P_SITE_NAME, B_ACTION, B_SERVICE, B_CONFIRM}, {B_ACTION, B_CONFIRM}},
    {"site_power", "GET", "/fleet/{site_name}/power", FOR_VIEWER, 0, handle_site_power,
        {P_SITE_NAME}, {0}},
    {"site_switch", "POST", "/fleet/{site_name}/power", FOR_ADMIN, 0, handle_site_switch,
        {P_SITE_NAME, B_POWER, B_CONFIRM}, {B_POWER}},
    {"site_power_set", "PUT", "/fleet/{site_name}/power", FOR_ADMIN, ROUTE_SESSION,
        handle_site_power_set,
        {P_SITE_NAME, B_DOOR, B_DOOR_ADDRESS, B_USER, B_DOOR_SECRET, B_CONFIRM},
        {B_DOOR, B_DOOR_ADDRESS, B_USER, B_DOOR_SECRET, B_CONFIRM}},
    {"site_power_forget", "DELETE", "/fleet/{site_name}/power", FOR_ADMIN, ROUTE_SESSION,
        handle_site_power_forget, {P_SITE_NAME}, {0}},
    {"questionnaire", "GET", "/anonymisation", FOR_VIEWER, 0, handle_questionnaire, {0}, {0}},
    {"propose", "POST", "/anonymisation", FOR_VIEWER, 0, handle_propose, {B_MOST, B_SERVE},
        {B_MOST, B_SERVE}},
    {"document_schema", "GET", "/site-document.json", FOR_VIEWER, 0, handle_document_schema,
        {0}, {0}},
    {"packets", "GET", "/packets", FOR_VIEWER, ROUTE_STREAM, handle_packets,
        {P_STREAM_FORMAT, P_STREAM_LIMIT, NARROW_PACKETS}, {0}},
    {"events", "GET", "/events", FOR_VIEWER, ROUTE_STREAM, handle_events, {0}, {0}},
    {"published", "GET", "/published", FOR_PARTNER, ROUTE_PUBLISHED, handle_published, {0},
        {0}},
    {"published_ports", "GET", "/published/ports", FOR_PARTNER, ROUTE_PUBLISHED,
        handle_published_ports, {P_FROM, P_TO, P_PROTO, P_PORT, PAGED}, {0}},
    {"datasets", "GET", "/datasets", FOR_VIEWER, 0, handle_datasets, {0}, {0}},
    {"status", "GET", "/status", FOR_VIEWER, 0, handle_status, {0}, {0}},
    {"openapi", "GET", "/openapi.json", FOR_ALL, ROUTE_QUICK, handle_openapi, {0}, {0}},
    {"metrics", "GET", "/metrics", FOR_VIEWER, ROUTE_ROOT | ROUTE_LOCAL, handle_metrics, {0},
        {0}},
    {"healthz", "GET", "/healthz", FOR_ALL, ROUTE_ROOT, handle_healthz, {0}, {0}},
};
const size_t route_count = sizeof routes / sizeof *routes;

static struct bytes segment(struct bytes *path)
{
    bytes_skip(path, 1); /* the slash */
    const uint8_t *end = memchr(path->at, '/', path->left);
    return bytes_take(path, end ? (size_t)(end - path->at) : path->left);
}

/* Does a path have the form of a pattern? Parameters match any text that is not empty. */
static bool same_form(const char *pattern, struct bytes path)
{
    struct bytes form = bytes_over(pattern, strlen(pattern));
    while (form.left && path.left) {
        struct bytes want = segment(&form);
        struct bytes have = segment(&path);
        bool free_text = want.left && want.at[0] == '{';
        if (free_text ? !have.left
                      : want.left != have.left || memcmp(want.at, have.at, have.left) != 0)
            return false;
    }
    return !form.left && !path.left;
}

static bool strip_root(struct bytes *path)
{
    size_t len = strlen(API_ROOT);
    if (path->left <= len || memcmp(path->at, API_ROOT, len) != 0 || path->at[len] != '/')
        return false;
    bytes_skip(path, len);
    return true;
}

static enum param_id path_param(const struct route *route, struct bytes name)
{
    for (const enum param_id *id = route->params; *id != P_NONE; id++) {
        const struct param *p = param_row(*id);
        if (p->where == IN_PATH && strlen(p->name) == name.left &&
            memcmp(p->name, name.at, name.left) == 0)
            return *id;
    }
    return P_NONE;
}

static enum err take_path(const struct route *route, struct bytes path, struct args *args,
    struct objection *ret_objection)
{
    struct bytes form = bytes_over(route->path, strlen(route->path));
    while (form.left) {
        struct bytes want = segment(&form);
        struct bytes have = segment(&path);
        if (!want.left || want.at[0] != '{')
            continue;
        enum param_id id = path_param(route, bytes_over(want.at + 1, want.left - 2));
        char text[128];
        size_t len;
        if (param_unescape(have, false, text, sizeof text, &len) != OK)
            len = 0; /* fails the check of every row below */
        enum err e = param_take(args, id, text, len, ret_objection);
        if (e)
            return e;
    }
    return OK;
}

static bool answers(const struct route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

enum err route_find(const char *method, struct bytes path, struct args *args,
    const struct route **ret_route, char ret_allow[64], struct objection *ret_objection)
{
    bool rooted = !strip_root(&path);
    char allow[64] = "";
    size_t used = 0;
    if (!path.left || path.at[0] != '/')
        return ERR_NOTFOUND;
    for (size_t i = 0; i < route_count; i++) {
        const struct route *route = &routes[i];
        if (((route->flags & ROUTE_ROOT) != 0) != rooted || !same_form(route->path, path))
            continue;
        if (answers(route, method)) {
            *ret_route = route;
            return take_path(route, path, args, ret_objection);
        }
        used += (size_t)snprintf(
            allow + used, sizeof allow - used, "%s%s", used ? ", " : "", route->method);
    }
    if (!used)
        return ERR_NOTFOUND;
    memcpy(ret_allow, allow, sizeof allow);
    return ERR_DENIED;
}
