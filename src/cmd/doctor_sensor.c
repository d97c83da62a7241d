#include "cmd/doctor.h"

#include "base/clock.h"
#include "base/tree.h"
#include "bus/authority.h"
#include "bus/nats.h"
#include "cmd/anonymize.h"
#include "cmd/commands.h"
#include "cmd/config_file.h"
#include "cmd/site_identity.h"
#include "cmd/site_proof.h"

#include <curl/curl.h>
#include <errno.h>
#include <net/if.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* What a site's sensor needs: what its folder and its configuration say is looked at as the
 * sensor would, and nothing is changed, because a sensor may be at work. */

extern const struct command cmd_sensor; /* whose options its configuration has */

enum {
    CONNECT_S = 5
};

#define GIB (1024.0 * 1024.0 * 1024.0)

struct look {
    const char *config;  /* file */
    struct conf *sensor; /* its options, from that file; NULL: it cannot be read */
    const char *data;
    struct site_identity identity;
    bool enrolled;
    struct fault fault; /* of the configuration, or of the identity */
};

/* ---- configuration ---- */

static enum err sensor_options(struct look *l, struct fault *f)
{
    enum err e = conf_new(&l->sensor, cmd_sensor.items);
    if (e)
        return fault_set(f, e, "out of memory");
    if (access(l->config, F_OK) != 0 && errno == ENOENT)
        return OK;
    return config_file_read(l->sensor, l->config, f);
}

static void look_config(const struct look *l, struct verdict *v)
{
    bool is = access(l->config, F_OK) == 0;
    snprintf(v->found, sizeof v->found, "%.300s %s", l->config,
        is ? "is in order"
           : "is not there: the sensor's options are those of its command line");
    if (!is || conf_text(l->sensor, "interface"))
        return;
    snprintf(v->found, sizeof v->found, "%.300s names no interface", l->config);
    doctor_mend(v, STATE_FAIL, "add a line \"interface: IF\"");
}

/* ---- certificate ---- */

static enum err text_read(const char *path, struct buf *out, struct fault *f)
{
    char part[4096];
    FILE *file = fopen(path, "re");
    if (!file)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    setvbuf(file, NULL, _IONBF, 0);
    for (size_t got; (got = fread(part, 1, sizeof part, file)) > 0;)
        buf_put(out, part, got);
    sodium_memzero(part, sizeof part);
    fclose(file);
    buf_u8(out, 0);
    return out->err ? fault_set(f, out->err, "%s: %s", path, err_text(out->err)) : OK;
}

static enum err papers_check(
    const struct site_identity *id, int64_t *ret_until, struct fault *f)
{
    struct buf text[3];
    const char *const files[] = {id->ca, id->certificate, id->key};
    enum err e = OK;
    for (size_t i = 0; i < 3; i++)
        buf_init(&text[i], AUTHORITY_PEM_MAX);
    for (size_t i = 0; i < 3 && !e; i++)
        e = text_read(files[i], &text[i], f);
    if (!e)
        e = certificate_fits((const char *)text[0].data, (const char *)text[1].data,
            (const char *)text[2].data, ret_until, f);
    if (text[2].data)
        sodium_memzero(text[2].data, text[2].len);
    for (size_t i = 0; i < 3; i++)
        buf_done(&text[i]);
    return e;
}

static void look_certificate(const struct look *l, struct verdict *v)
{
    struct clock wall = clock_system();
    char time[TIME_TEXT];
    struct fault f;
    int64_t until = 0, now = clock_now(&wall);
    if (!l->enrolled) {
        doctor_say(v, STATE_FAIL, l->fault.text,
            "ask the hub's operator for a token (kizashi site add NAME), then: kizashi site "
            "enrol --data DIR --hub URL --token-file FILE");
        return;
    }
    if (papers_check(&l->identity, &until, &f) != OK) {
        doctor_say(v, STATE_FAIL, f.text,
            "look as the user that the sensor runs as; is it not for its key or of another "
            "hub, enrol the site again with a new token");
        return;
    }
    snprintf(v->found, sizeof v->found, "%s %s %s", l->identity.site,
        until > now ? "has one until" : "had one until", time_format(until, time));
    if (until <= now)
        doctor_mend(v, STATE_FAIL,
            "a sensor that runs renews it in the 30 days after; then the site needs a new "
            "token");
    else if (l->identity.renew && now > l->identity.renew + US_DAY)
        doctor_mend(v, STATE_WARN,
            "it should have been renewed by now: certificate.renewal in the sensor's log says "
            "why not");
}

/* ---- the way to the hub ---- */

/* "nats://hub:4222" or "https://hub:8480" -> whether somebody takes a TCP connection there;
 * nothing is said to him. */
static bool takes(const char *url, struct fault *f)
{
    char plain[300], why[CURL_ERROR_SIZE] = "";
    const char *host = strstr(url, "://");
    snprintf(plain, sizeof plain, "http://%s", host ? host + 3 : url);
    CURL *curl = curl_easy_init();
    if (!curl)
        return fault_set(f, ERR_NOMEM, "out of memory") == OK;
    curl_easy_setopt(curl, CURLOPT_URL, plain);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    if (code == CURLE_OK)
        return true;
    (void)!fault_set(f, ERR_IO, "%s: %s", url, why[0] ? why : curl_easy_strerror(code));
    return false;
}

static size_t servers_of(const struct look *l, const char *ret_urls[BUS_SERVERS_MAX])
{
    const char *const *list = NULL;
    size_t count = l->sensor ? conf_list(l->sensor, "bus", &list) : 0;
    bool given = count > 0;
    if (!given)
        count = l->identity.server_count;
    for (size_t i = 0; i < count && i < BUS_SERVERS_MAX; i++)
        ret_urls[i] = given ? list[i] : l->identity.servers[i];
    return count < BUS_SERVERS_MAX ? count : BUS_SERVERS_MAX;
}

/* Does the message server let this site in, with its certificate? Nothing is sent but that. */
static enum bus_event_kind ask_in(const struct look *l, const char *url, struct fault *f)
{
    struct bus *bus = NULL;
    enum bus_event_kind said = BUS_NOTHING;
    struct bus_nats_options o = {.servers = {url}, .server_count = 1, .site = l->identity.site};
    o.ca = l->identity.ca;
    o.certificate = l->identity.certificate;
    o.key = l->identity.key;
    if (bus_nats_open(&bus, &o, f) != OK)
        return BUS_NOTHING;
    for (int tries = 0; tries < CONNECT_S * 10 && said == BUS_NOTHING; tries++) {
        struct bus_event e;
        bus_next(bus, 100, &e);
        if (e.kind == BUS_CONNECTED || e.kind == BUS_DENIED)
            said = e.kind;
        bus_release(bus, &e, false);
    }
    bus_close(bus);
    if (said == BUS_NOTHING)
        (void)!fault_set(f, ERR_IO,
            "%s takes connections, but is no message server with the hub's certificate", url);
    return said;
}

static void look_in(const struct look *l, const char *url, struct verdict *v)
{
    struct fault f = {0};
    enum bus_event_kind said = ask_in(l, url, &f);
    if (said == BUS_CONNECTED)
        snprintf(v->found, sizeof v->found, "%s lets %s in", url, l->identity.site);
    else if (said == BUS_DENIED)
        doctor_say(v, STATE_FAIL,
            "it does not let this site in: the certificate was revoked, or another took its "
            "place",
            "ask the hub's operator for a token (kizashi site add NAME), and enrol again");
    else
        doctor_say(v, STATE_FAIL, f.text,
            "does the address lead to the hub's message server, and not to another program?");
}

static void look_bus(const struct look *l, struct verdict *v)
{
    const char *urls[BUS_SERVERS_MAX];
    size_t count = servers_of(l, urls), good = 0;
    struct fault f = {0};
    for (size_t i = 0; i < count; i++)
        good += takes(urls[i], &f);
    if (!count) {
        doctor_say(v, STATE_FAIL, "no message server is known", "enrol the site");
        return;
    }
    snprintf(v->found, sizeof v->found, "%s takes connections%s", urls[0],
        count > 1 ? ", and so do the others" : "");
    if (good == count) {
        if (l->enrolled)
            look_in(l, urls[0], v);
        return;
    }
    doctor_say(v, good ? STATE_WARN : STATE_FAIL, f.text,
        "is the hub there, and does every firewall between let this port through? What is "
        "captured waits in the spool meanwhile");
}

static void look_hub(const struct look *l, struct verdict *v)
{
    struct fault f = {0};
    if (!l->identity.hub[0]) {
        doctor_say(v, STATE_WARN, "the hub's HTTPS address is not known",
            "the certificate cannot be renewed: enrol the site");
        return;
    }
    snprintf(v->found, sizeof v->found, "%s takes connections", l->identity.hub);
    if (!takes(l->identity.hub, &f))
        doctor_say(v, STATE_WARN, f.text,
            "the certificate cannot be renewed until it does: is the hub there, and does every "
            "firewall between let this port through?");
    else if (l->identity.hub_ca[0] && access(l->identity.hub_ca, R_OK) != 0) {
        snprintf(v->found, sizeof v->found, "%.400s cannot be read: %s", l->identity.hub_ca,
            strerror(errno));
        doctor_mend(v, STATE_WARN,
            "it is the --hub-ca that the site was enrolled with, and is read at each renewal");
    }
}

/* ---- disk, interface, policy ---- */

static void look_spool(const struct look *l, struct verdict *v)
{
    char path[4300];
    struct statvfs fs;
    struct tree_counts held = {0};
    struct fault f;
    double cap = (double)conf_count(l->sensor, "spool-cap") * 1024 * 1024;
    snprintf(path, sizeof path, "%s/spool", l->data);
    if (access(path, F_OK) == 0 && tree_count(path, &held, &f) != OK) {
        doctor_say(v, STATE_FAIL, f.text, "look as the user that the sensor runs as");
        return;
    }
    if (statvfs(l->data, &fs) != 0) {
        snprintf(v->found, sizeof v->found, "%.400s: %s", l->data, strerror(errno));
        doctor_mend(v, STATE_FAIL, "name the site's folder with --data DIR");
        return;
    }
    double room = (double)fs.f_bavail * (double)fs.f_frsize;
    snprintf(v->found, sizeof v->found,
        "%.1f GiB are in it, it may grow to %.1f GiB (spool-cap), %.1f GiB are free",
        (double)held.bytes / GIB, cap / GIB, room / GIB);
    if (room + (double)held.bytes < cap)
        doctor_mend(v, STATE_WARN,
            "the disk is full before the spool is: a larger disk, or a smaller spool-cap");
}

static void look_interface(const struct look *l, struct verdict *v)
{
    const char *name = conf_text(l->sensor, "interface");
    struct ifreq request = {0};
    if (!name) {
        doctor_say(v, STATE_OK, "none is named in the configuration", "");
        return;
    }
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool is = s >= 0 && ioctl(s, SIOCGIFFLAGS, &request) == 0;
    if (s >= 0)
        close(s);
    bool up = is && (request.ifr_flags & IFF_UP);
    snprintf(v->found, sizeof v->found, "%.60s %s", name,
        up   ? "is up"
        : is ? "is down"
             : "is not there");
    if (!up)
        doctor_mend(v, STATE_FAIL,
            is ? "ip link set IF up" : "ip link lists the names of this machine");
}

static void look_policy(const struct look *l, struct verdict *v)
{
    const char *file = conf_text(l->sensor, "policy");
    struct anon_policy policy;
    struct fault f;
    if (!file || strcmp(file, "keep") == 0)
        doctor_say(v, STATE_OK,
            file ? "keep: everything leaves as it is"
                 : "the default: destinations hashed, 64 bytes of payloads",
            "");
    else if (anonymize_policy(file, &policy, &f) != OK)
        doctor_say(
            v, STATE_FAIL, f.text, "kizashi site policy makes one, and reads it as its user");
    else
        snprintf(v->found, sizeof v->found, "%.400s is in order", file);
}

static const struct {
    const char *name;
    void (*look)(const struct look *l, struct verdict *v);
    bool options; /* needs those of the sensor */
} checks[] = {
    {"configuration", look_config, true},
    {"certificate", look_certificate, false},
    {"message server", look_bus, false},
    {"hub", look_hub, false},
    {"spool", look_spool, true},
    {"interface", look_interface, true},
    {"policy", look_policy, true},
};

void doctor_sensor_look(struct conf *conf,
    void (*report)(void *context, const char *check, const struct verdict *v), void *context)
{
    struct look l = {.config = conf_text(conf, "sensor-config")};
    struct verdict bad = {0};
    struct fault f = {0};
    if (sensor_options(&l, &f) != OK) {
        doctor_say(
            &bad, STATE_FAIL, f.text, "mend the file; kizashi sensor --help has the names");
        report(context, checks[0].name, &bad);
        conf_free(l.sensor);
        l.sensor = NULL;
    }
    if (l.sensor && !conf_given(conf, "data") &&
        conf_set(conf, "data", conf_text(l.sensor, "data"), &f) != OK) {
        doctor_say(&bad, STATE_FAIL, f.text, "name the site's folder with --data DIR");
        report(context, checks[0].name, &bad);
    }
    l.data = conf_text(conf, "data");
    l.enrolled = site_identity_look(&l.identity, l.data, &l.fault) == OK;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        struct verdict v = {0};
        if (checks[i].options && !l.sensor)
            continue;
        checks[i].look(&l, &v);
        report(context, checks[i].name, &v);
    }
    conf_free(l.sensor);
}
