#include "record/record.h"

#include <string.h>

#define ROW(id, name, type, most, unit, text) {name, type, most, unit, text},

static const struct column packet_columns[] = {
#define X ROW
#include "record/packet.def"
#undef X
};

static const struct column contact_columns[] = {
#define X ROW
#include "record/contact.def"
#undef X
};

static const struct column dos_columns[] = {
#define X ROW
#include "record/dos.def"
#undef X
};

static const struct column site_status_columns[] = {
#define X ROW
#include "record/site_status.def"
#undef X
};

static const struct column tagged_columns[] = {
#define X ROW
#include "record/tagged.def"
#undef X
};

static const struct column screening_columns[] = {
#define X ROW
#include "record/screening.def"
#undef X
};

enum {
    BLOCK_ROWS = 1 << 17
};

const struct record record_packet = {
    "packet", "One packet at a site.", packet_columns, PACKET_COLUMNS, BLOCK_ROWS};
const struct record record_contact = {"contact",
    "One source reaching one service at one site within one window.", contact_columns,
    CONTACT_COLUMNS, BLOCK_ROWS};
const struct record record_dos = {"dos",
    "One randomly-spoofed denial-of-service attack, seen by its backscatter.", dos_columns,
    DOS_COLUMNS, BLOCK_ROWS};
const struct record record_site_status = {"site_status",
    "What one site received and lost in one minute.", site_status_columns, SITE_STATUS_COLUMNS,
    BLOCK_ROWS};
const struct record record_tagged = {"tagged", "One contact that screening tagged, and why.",
    tagged_columns, TAGGED_COLUMNS, BLOCK_ROWS};
const struct record record_screening = {"screening",
    "One window that was screened, and each reason for which something in it was tagged.",
    screening_columns, SCREENING_COLUMNS, BLOCK_ROWS};

const struct record *const record_all[] = {&record_packet, &record_contact, &record_dos,
    &record_site_status, &record_tagged, &record_screening, NULL};

const struct record *record_find(const char *name)
{
    for (size_t i = 0; record_all[i]; i++)
        if (strcmp(record_all[i]->name, name) == 0)
            return record_all[i];
    return NULL;
}

const char *class_name(enum packet_class c)
{
    static const char *const names[] = {
#define X(id, name, text) name,
        CLASS_LIST(X)
#undef X
    };
    return c < CLASS_COUNT ? names[c] : names[CLASS_OTHER];
}

enum packet_class class_find(const char *word)
{
    unsigned c = 0;
    while (c < CLASS_COUNT && strcmp(class_name((enum packet_class)c), word) != 0)
        c++;
    return (enum packet_class)c;
}

const char *tag_name(enum contact_tag tag)
{
    static const char *const names[] = {
#define X(id, name, text) name,
        TAG_LIST(X)
#undef X
    };
    return names[tag];
}
