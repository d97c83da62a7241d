#ifndef ENGINE_SCREEN_SCREEN_H
#define ENGINE_SCREEN_SCREEN_H

#include "engine/engine.h"

/* Screening: what is known gets a tag, so that views and engines may leave it out; what is new
 * and shared by many sources is a finding. What it does and does not see:
 * docs/engines/screen.md. Source: the first analysis stage of PRACTICE (unsupervised strings of
 * packets and groups of sources; rules learned from few labels; surveys), of which no parameter
 * was published; the methods here are this project's own.
 *
 * open() reads the file that the option `rules` names; nothing else here opens files.
 *
 * Memory: 376 to 392 bytes x sources-max, and 7 MB. */
extern const struct engine engine_screen;

#endif
