#ifndef SCREEN_THING_H
#define SCREEN_THING_H

#include "base/err.h"
#include "record/record.h"

#include <stdbool.h>
#include <stdint.h>

/* One thing that a source sends: a service, with what the packets have in common that ask for
 * it. What a source sends within an hour, thing by thing, is the string that it is compared
 * with others by. */

/* Words that contacts carry as text, as small numbers: the tools. Number 0 is the empty word;
 * words past the cap are all the last number. */
enum {
    WORDS_MAX = 64
};

struct words {
    char word[WORDS_MAX][RECORD_NAME_MAX + 1];
    bool worm[WORDS_MAX]; /* contacts of class worm were seen with it */
    uint8_t count;
};

void words_init(struct words *w);
/* The number of a word, added if it is new. */
uint8_t words_number(struct words *w, const char *word);
/* The same without adding; WORDS_MAX if it is not there. */
uint8_t words_find(const struct words *w, const char *word);

/* A thing as a number: service, size, tool, flags. */
typedef uint64_t thing_key;

enum {
    THING_SIZE_STEP = 4, /* bytes; IP lengths are rounded up to it */
    THING_SIZE_MOST = 255 * THING_SIZE_STEP,
    THING_TEXT = 160,
    FLAGS_TEXT = 9
};

/**
 * @param service  engine/service.h
 * @param size     mean IP length, bytes; larger than THING_SIZE_MOST counts as that.
 * @param tool     number of a word, below WORDS_MAX.
 * @param flags    TCP flags of the packets together; 0 for other protocols.
 */
thing_key thing_make(uint32_t service, double size, uint8_t tool, uint8_t flags);

static inline uint32_t thing_service(thing_key t)
{
    return (uint32_t)(t & 0x3ffff);
}

static inline uint16_t thing_size(thing_key t)
{
    return (uint16_t)((t >> 18 & 0xff) * THING_SIZE_STEP);
}

static inline uint8_t thing_tool(thing_key t)
{
    return (uint8_t)(t >> 26 & 0x3f);
}

static inline uint8_t thing_flags(thing_key t)
{
    return (uint8_t)(t >> 32);
}

static inline thing_key thing_without_tool(thing_key t)
{
    return t & ~((thing_key)0x3f << 26);
}

/* A key that may be: for states that come from a disk. */
bool thing_allowed(thing_key t);

/* What things a rule means: some of the four may be left open. */
struct thing_match {
    uint32_t service;
    uint16_t size;                  /* 0: any */
    int16_t flags;                  /* -1: any */
    bool any_tool;                  /* else `tool`, which may be empty */
    char tool[RECORD_NAME_MAX + 1]; /* by name */
};

/* "23/tcp(size=40,flags=S,tool=mirai)"; "icmp/8", "proto/47". Returns `text`. */
const char *thing_match_format(const struct thing_match *m, char text[THING_TEXT]);
/* The inverse; ERR_BAD, and the fault says what is allowed. */
enum err thing_match_parse(
    const char *text, struct thing_match *ret_match, struct fault *f) MUST_CHECK;

/* The match that means exactly this thing. */
struct thing_match thing_match_of(thing_key t, const struct words *words);
bool thing_matches(const struct thing_match *m, thing_key t, const struct words *words);

/* For people: "23/tcp, 40 bytes, mirai". Returns `text`. */
const char *thing_format(thing_key t, const struct words *words, char text[THING_TEXT]);

/* "SA": letters of the flags that are set, FIN first. Returns `text`. */
const char *flags_format(uint8_t flags, char text[FLAGS_TEXT]);

#endif
