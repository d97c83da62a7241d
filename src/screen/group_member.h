#ifndef SCREEN_GROUP_MEMBER_H
#define SCREEN_GROUP_MEMBER_H

#include "screen/group.h"
#include "screen/profile.h"

/* Profiles as members of groups, and what the members of a group have in common. */

enum {
    GROUP_THINGS = 64 /* different ones of a group; later ones are not counted */
};

/* What is looked for where nobody asks for anything else; without rounds.
 * `windows`: that there are; `hour`: windows in one. */
struct group_options group_options_usual(uint32_t windows, uint32_t hour);

/* The windows of the last day in which a source came, counted back from `now`. One that stays
 * has come once: else all that stay for hours would share most of them. */
void group_member_make(
    const struct profile *p, uint32_t now, uint32_t windows, struct group_member *ret_member);

/* A thing, and how many sources of a group sent it. */
struct group_thing {
    thing_key key;
    uint32_t sources;
};

/* What those sources sent that have the number `group` in `of`, most of them first; returns how
 * many things these are. */
size_t group_things(const struct profiles *t, const uint32_t *of, uint32_t group,
    struct group_thing ret_list[GROUP_THINGS]);

#endif
