#include "cmd/commands.h"

#include "api/api.h"
#include "base/clock.h"
#include "base/json.h"
#include "bus/broker.h"
#include "cmd/doctor.h"
#include "cmd/hub_client.h"
#include "cmd/options.h"
#include "cmd/site_identity.h"
#include "geo/geo.h"
#include "store/chdb_find.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <ifaddrs.h>
#include <libgen.h>
#include <net/if.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

/* Looks at what the hub, or a site's sensor, needs of the machine, says what is missing and how
 * to mend it. Changes nothing. Each check is a row with a function that fills a verdict. */

static const struct conf_item items[] = {
    {"data", CONF_TEXT, "DIR", NULL, 0, 0, "kizashi-data", NULL,
        "Data folder that the hub is to use; with --sensor the site's."},
    {.name = "sensor",
        .type = CONF_FLAG,
        .text = "Look at what a site's sensor needs, not at what a hub needs; so without being "
                "told where --data is the folder of an enrolled site."},
    {.name = "sensor-config",
        .type = CONF_TEXT,
        .arg = "FILE",
        .initial = "/etc/kizashi/sensor.yaml",
        .text = "The sensor's configuration; it need not be there."},
    {"listen", CONF_TEXT, "ADDR:PORT", NULL, 0, 0, "127.0.0.1:8480", NULL,
        "Where the hub is to listen."},
    {"library", CONF_TEXT, "FILE", NULL, 0, 0, NULL, NULL, "libchdb.so, as the hub is told."},
    {"geo-db", CONF_LIST, "FILE", NULL, 0, 0, NULL, NULL,
        "Countries or networks of addresses, as the hub is told."},
    {"json", CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL, "An array of objects instead of lines."},
    {0},
};

#define GIB (1024.0 * 1024.0 * 1024.0)

/* Thresholds: below the first the hub fails sooner or later, below the second it is tight. */
static const double disk_least = 1 * GIB, disk_good = 20 * GIB;
static const double memory_least = 1 * GIB, memory_good = 3 * GIB;
static const rlim_t files_good = 4096;

/* Addresses change hands: an older database names too many wrongly. */
static const int64_t places_good = 365 * US_DAY;

void doctor_say(struct verdict *v, enum doctor_state state, const char *found, const char *mend)
{
    snprintf(v->found, sizeof v->found, "%s", found);
    doctor_mend(v, state, mend);
}

void doctor_mend(struct verdict *v, enum doctor_state state, const char *mend)
{
    v->state = state;
    snprintf(v->mend, sizeof v->mend, "%s", mend);
}

/* Load the library in a child: half a gigabyte, and a broken one may end the process. */
static int library_loads(const char *path)
{
    pid_t child = fork();
    if (child == 0)
        _exit(dlopen(path, RTLD_NOW | RTLD_LOCAL) ? 0 : 1);
    int status = 1;
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 0;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void look_library(const struct conf *conf, struct verdict *v)
{
    char path[CHDB_PATH];
    struct fault f;
    struct stat st;
    if (chdb_find(conf_text(conf, "library"), path, &f) != OK) {
        doctor_say(v, STATE_FAIL, f.text,
            "install the package kizashi-store, or from the sources run script/bootstrap, or "
            "name an installed libchdb.so with --library FILE or KIZASHI_CHDB; kizashi replay "
            "--no-store and kizashi sensor work without");
        return;
    }
    if (!library_loads(path)) {
        snprintf(v->found, sizeof v->found, "%.400s does not load", path);
        snprintf(v->mend, sizeof v->mend,
            "it is cut or for another kind of machine: remove it and install the package "
            "kizashi-store, or run script/bootstrap");
        v->state = STATE_FAIL;
        return;
    }
    char *real = realpath(path, NULL);
    double size = stat(path, &st) == 0 ? (double)st.st_size / 1e6 : 0.0;
    snprintf(v->found, sizeof v->found, "%.400s loads (%.0f MB)", real ? real : path, size);
    free(real);
}

static void warn_of_age(const char *part, int64_t oldest, struct verdict *v)
{
    struct clock wall = clock_system();
    int64_t age = clock_now(&wall) - oldest;
    if (age <= places_good)
        return;
    size_t used = strlen(v->found);
    snprintf(
        v->found + used, sizeof v->found - used, "; %lld days old", (long long)(age / US_DAY));
    snprintf(v->mend, sizeof v->mend,
        "a %s that changed hands since is shown wrongly: %s, or name a newer database with "
        "--geo-db FILE",
        part,
        strcmp(part, "network") == 0 ? "location update fetches libloc's newest"
                                     : "apt-get install tor-geoipdb takes Debian's newest");
    v->state = STATE_WARN;
}

/* The databases as the hub would load them; `part` is how geo_origins() names them. */
static void look_places(const struct conf *conf, const char *part, struct verdict *v)
{
    const char *const *files;
    struct geo_options options = {
        .file_count = conf_list(conf, "geo-db", &files), .automatic = true};
    options.files = files;
    struct geo *g;
    struct fault f;
    if (geo_open(&g, &options, &f) != OK) {
        doctor_say(v, STATE_FAIL, f.text, "name another file, or none");
        return;
    }
    struct geo_origin origins[4];
    size_t count = geo_origins(g, origins, 4);
    size_t used = 0;
    int64_t oldest = INT64_MAX;
    for (size_t i = 0; i < count && used < sizeof v->found; i++) {
        char date[TIME_TEXT];
        if (strncmp(origins[i].what, part, strlen(part)) != 0)
            continue;
        used += (size_t)snprintf(v->found + used, sizeof v->found - used,
            "%s%s: %llu ranges of %.10s from %s", used ? "; " : "", origins[i].what,
            (unsigned long long)origins[i].rows,
            origins[i].date ? time_format(origins[i].date, date) : "unknown date",
            origins[i].file);
        if (origins[i].date && origins[i].date < oldest)
            oldest = origins[i].date;
    }
    if (oldest != INT64_MAX && used < sizeof v->found)
        warn_of_age(part, oldest, v);
    if (!used) {
        snprintf(v->found, sizeof v->found, "no database of the %s of addresses", part);
        snprintf(v->mend, sizeof v->mend,
            "script/bootstrap installs Debian's, or name yours with --geo-db FILE");
        v->state = STATE_WARN;
    }
    geo_close(g);
}

static void look_countries(const struct conf *conf, struct verdict *v)
{
    look_places(conf, "country", v);
}

static void look_networks(const struct conf *conf, struct verdict *v)
{
    look_places(conf, "network", v);
}

static void look_capture(const struct conf *conf, struct verdict *v)
{
    (void)conf;
    char program[400] = "kizashi";
    int s = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (s >= 0) {
        close(s);
        doctor_say(v, STATE_OK, "capture sockets can be opened", "");
        return;
    }
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    if (len > 0)
        program[len] = 0;
    snprintf(v->found, sizeof v->found, "live capture is not allowed: %s", strerror(errno));
    snprintf(v->mend, sizeof v->mend,
        "setcap cap_net_raw+ep %s (as root), or start it by kizashi.service; captures in "
        "files need no privilege",
        program);
    v->state = STATE_WARN;
}

static void look_interfaces(const struct conf *conf, struct verdict *v)
{
    (void)conf;
    struct ifaddrs *all = NULL;
    size_t used = 0;
    if (getifaddrs(&all) != 0)
        all = NULL;
    for (const struct ifaddrs *i = all; i && used < sizeof v->found; i = i->ifa_next)
        if (i->ifa_addr && i->ifa_addr->sa_family == AF_PACKET && (i->ifa_flags & IFF_UP) &&
            !(i->ifa_flags & IFF_LOOPBACK))
            used += (size_t)snprintf(v->found + used, sizeof v->found - used, "%s%s",
                used ? ", " : "up: ", i->ifa_name);
    freeifaddrs(all);
    if (!used)
        doctor_say(v, STATE_WARN, "no network interface is up but loopback",
            "bring the capture interface up: ip link set IF up");
}

/* One that listens on all addresses is at each of them. */
static bool same_port(const char *url, const char *listen)
{
    const char *ours = strrchr(url, ':');
    const char *theirs = strrchr(listen, ':');
    return ours && theirs && strcmp(ours, theirs) == 0;
}

static void look_listen(const struct conf *conf, struct verdict *v)
{
    const char *listen = conf_text(conf, "listen");
    struct fault f;
    struct hub_address ours;
    enum err e = api_listen_check(listen, &f);
    if (!e) {
        snprintf(v->found, sizeof v->found, "%s is free", listen);
        return;
    }
    const char *data = conf_text(conf, "data");
    if (e == ERR_BUSY && hub_is_at(listen)) {
        bool same = hub_address_read(data, &ours) == OK && same_port(ours.url, listen);
        snprintf(v->found, sizeof v->found, "a kizashi hub runs at %.100s%s%.300s", listen,
            same ? ", on " : "", same ? data : "");
        if (same)
            return;
        snprintf(v->mend, sizeof v->mend,
            "a second one needs another address: --listen ADDR:PORT; or stop the first");
        v->state = STATE_FAIL;
        return;
    }
    doctor_say(v, STATE_FAIL, f.text,
        e == ERR_BUSY ? "stop the other program, or choose with --listen ADDR:PORT"
                      : "choose with --listen ADDR:PORT");
}

static void look_portal(const struct conf *conf, struct verdict *v)
{
    (void)conf;
    if (api_has_portal())
        doctor_say(v, STATE_OK, "the portal is part of this program", "");
    else
        doctor_say(v, STATE_WARN, "this program was built without the portal",
            "npm ci && npm run build in portal/, then build again; script/run does both");
}

/* The folder, or, when it is still to be made, the one that it will be made in. */
static const char *existing(const char *data, char parent[4096])
{
    snprintf(parent, 4096, "%s", data);
    struct stat st;
    return stat(data, &st) == 0 ? data : dirname(parent);
}

static void look_data(const struct conf *conf, struct verdict *v)
{
    const char *data = conf_text(conf, "data");
    char parent[4096];
    struct stat st;
    const char *folder = existing(data, parent);
    if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode)) {
        snprintf(v->found, sizeof v->found, "%.400s is not a folder", folder);
        snprintf(v->mend, sizeof v->mend, "name another with --data DIR");
        v->state = STATE_FAIL;
        return;
    }
    const struct passwd *owner = getpwuid(st.st_uid);
    if (access(folder, W_OK | X_OK) != 0) {
        snprintf(v->found, sizeof v->found, "%.400s belongs to %s and cannot be written",
            folder, owner ? owner->pw_name : "another user");
        snprintf(v->mend, sizeof v->mend,
            "run the hub as that user, give the folder to yours, or choose with --data DIR");
        v->state = STATE_FAIL;
        return;
    }
    snprintf(v->found, sizeof v->found, "%.300s %s, owner %s", data,
        folder == data ? "can be written" : "can be made", owner ? owner->pw_name : "unknown");
}

static void look_disk(const struct conf *conf, struct verdict *v)
{
    char parent[4096];
    struct statvfs fs;
    const char *folder = existing(conf_text(conf, "data"), parent);
    if (statvfs(folder, &fs) != 0) {
        doctor_say(
            v, STATE_FAIL, "the free space cannot be read", "name a folder with --data DIR");
        return;
    }
    double bytes = (double)fs.f_bavail * (double)fs.f_frsize;
    snprintf(v->found, sizeof v->found, "%.1f GiB free for %.300s", bytes / GIB, folder);
    v->state = bytes < disk_least ? STATE_FAIL : bytes < disk_good ? STATE_WARN : STATE_OK;
    if (v->state != STATE_OK)
        snprintf(v->mend, sizeof v->mend,
            "choose a larger disk with --data DIR, or keep less with --keep-packets");
}

static void look_memory(const struct conf *conf, struct verdict *v)
{
    (void)conf;
    struct sysinfo info;
    if (sysinfo(&info) != 0)
        return;
    double bytes = (double)info.totalram * info.mem_unit;
    snprintf(v->found, sizeof v->found, "%.1f GiB", bytes / GIB);
    v->state = bytes < memory_least ? STATE_FAIL : bytes < memory_good ? STATE_WARN : STATE_OK;
    if (v->state != STATE_OK)
        snprintf(v->mend, sizeof v->mend,
            "the store and the sensors take up to about 2 GiB: fewer sites, or more memory");
}

static void look_files(const struct conf *conf, struct verdict *v)
{
    (void)conf;
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    snprintf(v->found, sizeof v->found, "%llu files may be open at once",
        (unsigned long long)files.rlim_max);
    if (files.rlim_max < files_good) {
        snprintf(v->mend, sizeof v->mend, "ulimit -Hn 65536, or LimitNOFILE= of the service");
        v->state = STATE_WARN;
    }
}

static void look_clock(const struct conf *conf, struct verdict *v)
{
    (void)conf;
    struct timex t = {0};
    int status = adjtimex(&t);
    if (status >= 0 && !(t.status & STA_UNSYNC)) {
        doctor_say(v, STATE_OK, "the clock is synchronised", "");
        return;
    }
    doctor_say(v, STATE_WARN, "nobody says that the clock is synchronised",
        "run chrony or systemd-timesyncd: live packets carry this machine's time, and early "
        "warnings compare sites");
}

/* Most hubs do without. */
static void look_server(const struct conf *conf, struct verdict *v)
{
    (void)conf;
    const char *program = broker_program(NULL);
    snprintf(v->found, sizeof v->found, "%s%s",
        program ? program : "nats-server is not installed; only hub --sites needs it: ",
        program ? ", for hub --sites" : "apt install nats-server");
}

struct check {
    const char *name;
    void (*look)(const struct conf *conf, struct verdict *v);
};

static const struct check hub_checks[] = {
    {"store library", look_library},
    {"countries", look_countries},
    {"networks", look_networks},
    {"capture", look_capture},
    {"interfaces", look_interfaces},
    {"address", look_listen},
    {"portal", look_portal},
    {"message server", look_server},
    {"data folder", look_data},
    {"disk", look_disk},
    {"memory", look_memory},
    {"open files", look_files},
    {"clock", look_clock},
    {NULL, NULL},
};

/* What a site needs of its machine comes behind what doctor_sensor_look() looks at. */
static const struct check sensor_checks[] = {
    {"capture", look_capture},
    {"interfaces", look_interfaces},
    {"data folder", look_data},
    {"open files", look_files},
    {"clock", look_clock},
    {NULL, NULL},
};

static const char *const state_words[] = {"ok", "warn", "fail"};

struct report {
    json_t *rows; /* NULL: lines are printed */
    bool failed;
};

static void print_line(const char *check, const struct verdict *v)
{
    printf("%-5s %-14s %s\n", state_words[v->state], check, v->found);
    if (v->mend[0])
        printf("%20s to mend: %s\n", "", v->mend);
}

static enum err add_row(json_t *rows, const char *check, const struct verdict *v)
{
    json_t *row = json_pack("{s:s, s:s, s:o, s:o}", "check", check, "state",
        state_words[v->state], "found", json_text(v->found, strlen(v->found)), "mend",
        v->mend[0] ? json_text(v->mend, strlen(v->mend)) : json_null());
    return row && json_array_append_new(rows, row) == 0 ? OK : ERR_NOMEM;
}

static void report(void *context, const char *check, const struct verdict *v)
{
    struct report *r = context;
    r->failed = r->failed || v->state == STATE_FAIL;
    if (!r->rows)
        print_line(check, v);
    else if (add_row(r->rows, check, v) != OK)
        r->failed = true;
}

static int print_rows(const json_t *rows)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    json_write(&out, rows);
    if (out.err) {
        fprintf(stderr, "kizashi doctor: %s\n", err_text(out.err));
        buf_done(&out);
        return EXIT_PROBLEM;
    }
    puts((const char *)out.data);
    buf_done(&out);
    return EXIT_DONE;
}

static bool is_site(const char *folder)
{
    struct site_identity id;
    struct fault f;
    return site_identity_look(&id, folder, &f) != ERR_NOTFOUND;
}

static int run(struct conf *conf, size_t count, char **operands)
{
    (void)count;
    (void)operands;
    struct report r = {.rows = conf_flag(conf, "json") ? json_array() : NULL};
    const struct check *check = hub_checks;
    if (conf_flag(conf, "sensor") || is_site(conf_text(conf, "data"))) {
        doctor_sensor_look(conf, report, &r);
        check = sensor_checks;
    }
    for (; check->name; check++) {
        struct verdict v = {0};
        check->look(conf, &v);
        report(&r, check->name, &v);
    }
    if (r.rows && print_rows(r.rows) != EXIT_DONE)
        r.failed = true;
    json_decref(r.rows);
    return r.failed ? EXIT_PROBLEM : EXIT_DONE;
}

const struct command cmd_doctor = {
    .name = "doctor",
    .text = "Say what the hub or a sensor needs of this machine, what is missing, and how to "
            "mend it.",
    .items = items,
    .run = run,
    .more = "Each line is ok, warn (it runs without) or fail (it does not start, or would lose "
            "data). Nothing is changed. The exit status is 1 if a line is fail. With --sensor "
            "nobody is "
            "spoken to but the site's own hub, whose two ports are connected to and left.\n\n"
            "    $ kizashi doctor --data /var/lib/kizashi --listen 127.0.0.1:8480\n"
            "    $ kizashi doctor --sensor --data /var/lib/kizashi-sensor",
};
