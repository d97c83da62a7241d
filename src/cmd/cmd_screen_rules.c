#include "cmd/commands.h"

#include "cmd/ending.h"
#include "cmd/screen_data.h"
#include "cmd/screen_review.h"
#include "cmd/screen_rules.h"
#include "cmd/stop.h"

static const struct conf_item items[] = {
    {.name = "propose",
        .type = CONF_FLAG,
        .text = "Learn rules from captures and labels, and write them for a person to read."},
    {.name = "accept",
        .type = CONF_FILE,
        .arg = "FILE",
        .text = "Take rules of this file over into those that act, which --rules names."},
    {.name = "list",
        .type = CONF_FLAG,
        .text = "Show the rules of --rules, or those built in."},
    {.name = "try",
        .type = CONF_FILE,
        .arg = "FILE",
        .text = "Try the rules of this file on captures: how many sources each fits, and with "
                "labels, how often rightly."},
    {.name = "rules",
        .type = CONF_TEXT,
        .arg = "FILE",
        .text = "The rules that act, as screen.rules of replay and hub names them."},
    {.name = "rule",
        .type = CONF_LIST,
        .arg = "NAME",
        .text = "With --accept: this rule; without, all of the file."},
    {.name = "by",
        .type = CONF_TEXT,
        .arg = "WHO",
        .max = 190,
        .text = "With --accept: who reviewed."},
    {.name = "because",
        .type = CONF_TEXT,
        .arg = "WHY",
        .max = 190,
        .text = "With --accept: why."},
    {.name = "out",
        .type = CONF_TEXT,
        .arg = "FILE",
        .initial = "-",
        .text = "With --propose: where the rules go; - is standard output. "
                "A file that is there is not written over."},
    {.name = "known",
        .type = CONF_LIST,
        .arg = "LABEL",
        .text = "With --propose: rules for this label tag what they cover as known."},
    {.name = "survey",
        .type = CONF_LIST,
        .arg = "LABEL",
        .text = "With --propose: rules for this label tag sources as survey-like."},
    {.name = "from-fingerprints",
        .type = CONF_FLAG,
        .text =
            "Sources without a label have the tool that a signature names as one, and rules do "
            "without tools. Without --labels, sources that no signature names are "
            "\"unsigned\"."},
    {.name = "per-label",
        .type = CONF_COUNT,
        .arg = "N",
        .min = 1,
        .max = 1e6,
        .text =
            "With --propose: learn from so many sources of each label, drawn by --seed; the "
            "others are unlabelled, and tell how good the rules are."},
    {.name = "labelled",
        .type = CONF_FLAG,
        .text = "Leave out sources of which no label is known."},
    {.name = "seed",
        .type = CONF_COUNT,
        .arg = "S",
        .initial = "1",
        .text = "For --per-label."},
    {.name = "hold-out",
        .type = CONF_NUMBER,
        .arg = "SHARE",
        .min = 0,
        .max = 0.9,
        .initial = "0.25",
        .text = "With --propose: this share of the labels is kept back to try the rules on."},
    {.name = "confidence",
        .type = CONF_NUMBER,
        .arg = "X",
        .min = 0.5,
        .max = 0.999,
        .initial = "0.95",
        .text = "With --propose: of labels that unlabelled sources take over, and of rules on "
                "what they were learned from."},
    {.name = "packets",
        .type = CONF_COUNT,
        .arg = "N",
        .min = 1,
        .max = 1e6,
        .initial = "1",
        .text = "Sources with fewer packets are left out."},
    {.name = "features",
        .type = CONF_TEXT,
        .arg = "FILE",
        .text =
            "With --propose and --try: write what is known of every source as CSV, for other "
            "programs to learn from. A file that is there is not written over."},
    {.name = "json", .type = CONF_FLAG, .text = "Tables as JSON lines."},
    SCREEN_DATA_ITEMS,
    {.name = NULL},
};

static int run(struct conf *conf, size_t count, char **operands)
{
    struct fault f = {0};
    enum err e;
    int asked = conf_flag(conf, "propose") + conf_flag(conf, "list") +
                (conf_text(conf, "accept") != NULL) + (conf_text(conf, "try") != NULL);
    stop_install();
    if (asked != 1)
        e = fault_set(&f, ERR_BAD, "say one of --propose, --accept FILE, --list, --try FILE");
    else if (conf_flag(conf, "list"))
        e = screen_review_list(conf, &f);
    else if (conf_text(conf, "accept"))
        e = screen_review_accept(conf, &f);
    else if (conf_flag(conf, "propose"))
        e = screen_rules_propose(conf, count, operands, &f);
    else
        e = screen_rules_try(conf, count, operands, &f);
    return ending("screen rules", e, &f);
}

const struct command cmd_screen_rules = {
    .name = "screen rules",
    .text = "Learn screening rules from few labels, review them, try them.",
    .operands = "[FILE...]",
    .items = items,
    .run = run,
    .more =
        "From captures, labels of some sources and many sources without, --propose learns an\n"
        "ordered list of rules that a person can read, each with the sources that it was "
        "learned\n"
        "from and how it did on labels that were kept back. Nothing acts by that: --accept "
        "moves\n"
        "the rules that a person finds right into the file that screen.rules names, with who,\n"
        "when and why.\n"
        "\n"
        "  kizashi screen rules --propose --labels labels.csv --known hajime --out new.rules "
        "\\\n"
        "      --site jp-01=a.pcap\n"
        "  kizashi screen rules --list --rules new.rules\n"
        "  kizashi screen rules --try new.rules --labels other.csv --site kr-01=b.pcap\n"
        "  kizashi screen rules --accept new.rules --rule hajime-1 --rules active.rules \\\n"
        "      --by yk --because \"seen since May\"\n"
        "  kizashi replay --set screen.rules=active.rules --site jp-01=c.pcap --alerts -\n",
};
