#include "cmd/commands.h"

#include "cmd/anonymize.h"
#include "cmd/editor.h"
#include "cmd/ending.h"
#include "cmd/site_token.h"
#include "fleet/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* site image: a folder that installs a site's machine over the network. */

enum {
    AUTHORITIES_MAX = 1 << 20 /* bytes of a list of certificates */
};

#define VALUE(option, hint, words)                                                             \
    {                                                                                          \
        .name = option, .type = CONF_TEXT, .arg = hint, .text = words                          \
    }
#define READ(option, words)                                                                    \
    {                                                                                          \
        .name = option, .type = CONF_FILE, .arg = "FILE", .text = words                        \
    }

static const struct conf_item items[] = {
    {.name = "out",
        .type = CONF_TEXT,
        .arg = "DIR",
        .text = "The new folder; its owner alone may read it, because it holds the token."},
    VALUE("interface", "IF",
        "Interface of the serving machine in the network where the site's machine boots."),
    VALUE("server", "ADDR", "IPv4 address of the serving machine there."),
    VALUE("first", "ADDR", "First IPv4 address to give while installing."),
    VALUE("last", "ADDR", "Last one."),
    VALUE("gateway", "ADDR", "Router of that network."),
    VALUE("nameserver", "ADDR", "Name server for the installation."),
    VALUE("mac", "MAC", "Ethernet address of the machine; no other is answered."),
    VALUE("port", "PORT", "Port on which the serving machine gives files. Default: 8069."),
    VALUE("mirror", "HOST", "Debian mirror that speaks HTTP, the name of its host."),
    VALUE("disk", "DEVICE", "Disk to install on: everything on it is lost. Default: /dev/sda."),
    VALUE("capture", "IF", "Interface of the site's machine that captures."),
    VALUE("filter", "FILTER",
        "Capture filter, what belongs to the telescope; without one all that arrives."),
    READ("policy",
        "What leaves the site (kizashi site policy); without one the default policy."),
    VALUE("hub", "URL", "The hub, https://HOST:PORT."),
    READ("hub-ca",
        "Whom to trust for the hub's HTTPS certificate (PEM), if no public authority signed "
        "it."),
    READ("token-file",
        "File with the enrolment token (kizashi site add NAME --quiet); without one the site "
        "is enrolled by hand."),
    READ("ssh-key-file",
        "File with the public key of who may sign in as operator; without one nobody can."),
    READ("package", "kizashi's Debian package; without one it comes from the mirror."),
    VALUE("boot", "DIR", "Folder with undionly.kpxe and ipxe.efi. Default: /usr/lib/ipxe."),
    VALUE("installer", "DIR",
        "Folder with the installer's linux and initrd.gz. Default: where Debian's "
        "debian-installer-12-netboot-amd64 puts them."),
    {.name = NULL},
};

/* The first line of a file; "" without a file. */
static enum err line_read(const char *path, char *line, int room, struct fault *f)
{
    line[0] = 0;
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!path)
        return OK;
    if (!file)
        return fault_set(f, ERR_NOTFOUND, "%s: cannot be read", path);
    bool is = fgets(line, room, file) != NULL;
    fclose(file);
    line[strcspn(line, "\r\n")] = 0;
    return is ? OK : fault_set(f, ERR_BAD, "%s: is empty", path);
}

/* ---- files that will not do: the machine whose disk is gone would be the first to tell ----
 */

static enum err token_check(const char *path, const char *token, struct fault *f)
{
    struct site_token read;
    struct fault why = {0};
    enum err e = path ? site_token_read(token, &read, &why) : OK;
    return e ? fault_set(f, e, "--token-file %s: %s", path, why.text) : OK;
}

static enum err authority_check(const char *path, struct fault *f)
{
    struct buf text;
    if (!path)
        return OK;
    buf_init(&text, AUTHORITIES_MAX);
    enum err e = editor_file_read(path, &text, f);
    buf_put(&text, "", 1);
    if (!e && (text.err || !strstr((const char *)text.data, "-----BEGIN CERTIFICATE-----")))
        e = fault_set(f, ERR_BAD, "--hub-ca %s: there is no certificate in it (PEM)", path);
    buf_done(&text);
    return e;
}

static enum err files_check(const struct conf *c, const char *token, struct fault *f)
{
    struct anon_policy policy;
    enum err e = token_check(conf_text(c, "token-file"), token, f);
    if (!e)
        e = anonymize_policy(conf_text(c, "policy"), &policy, f);
    return e ? e : authority_check(conf_text(c, "hub-ca"), f);
}

static enum err make(const struct conf *c, const char *site, struct fault *f)
{
    char token[256], key[1100];
    struct image_values v = {.site = site,
        .interface = conf_text(c, "interface"),
        .server = conf_text(c, "server"),
        .first = conf_text(c, "first"),
        .last = conf_text(c, "last"),
        .gateway = conf_text(c, "gateway"),
        .nameserver = conf_text(c, "nameserver"),
        .mac = conf_text(c, "mac"),
        .port = conf_text(c, "port"),
        .mirror = conf_text(c, "mirror"),
        .disk = conf_text(c, "disk"),
        .capture = conf_text(c, "capture"),
        .filter = conf_text(c, "filter"),
        .policy = conf_text(c, "policy"),
        .hub = conf_text(c, "hub"),
        .hub_ca = conf_text(c, "hub-ca"),
        .token = token,
        .ssh_key = key,
        .package = conf_text(c, "package"),
        .boot = conf_text(c, "boot"),
        .installer = conf_text(c, "installer")};
    enum err e = line_read(conf_text(c, "token-file"), token, sizeof token, f);
    if (!e)
        e = line_read(conf_text(c, "ssh-key-file"), key, sizeof key, f);
    if (!e)
        e = files_check(c, token, f);
    if (!e)
        e = image_check(&v, f);
    return e ? e : image_write(&v, conf_text(c, "out"), f);
}

static int run(struct conf *conf, size_t count, char **operands)
{
    struct fault f = {0};
    const char *out = conf_text(conf, "out");
    enum err e = count != 1 ? fault_set(&f, ERR_BAD, "the name of one site is needed")
                 : !out     ? fault_set(&f, ERR_BAD, "--out DIR is needed")
                            : make(conf, operands[0], &f);
    if (e)
        return ending("site image", e, &f);
    printf("%s is ready. Copy it to the serving machine, run %s/serve there as root, and boot "
           "the site's machine from the network.\nEverything on the disk of that machine is "
           "lost.\n",
        out, out);
    return EXIT_DONE;
}

const struct command cmd_site_image = {
    .name = "site image",
    .text = "Make a folder that installs a site's machine over the network.",
    .operands = "NAME",
    .items = items,
    .run = run,
    .more =
        "The folder holds a dnsmasq configuration that answers one Ethernet address only, "
        "iPXE, "
        "Debian's installer with an automated installation, and the steps that put kizashi "
        "on the new system and enrol the site at its first start. With kizashi site power "
        "NAME cycle a machine that boots from the network first is reinstalled from afar.\n\n"
        "Example:\n"
        "  kizashi site add jp-01 --quiet > jp-01.token\n"
        "  kizashi site image jp-01 --out jp-01.boot --interface eth1 --server 10.9.0.1 \\\n"
        "      --first 10.9.0.50 --last 10.9.0.60 --gateway 10.9.0.1 --nameserver 10.9.0.1 \\\n"
        "      --mac 52:54:00:12:34:56 --mirror debian.example.org --capture eth1 \\\n"
        "      --filter 'dst net 198.51.100.0/24' --policy jp-01.json \\\n"
        "      --hub https://hub.example.org:8480 --hub-ca hub.pem \\\n"
        "      --token-file jp-01.token --ssh-key-file ~/.ssh/id_ed25519.pub\n",
};
