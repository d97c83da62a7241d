#include "screen/builtin.h"

#include <string.h>

/* Thresholds were chosen on simulated telescopes whose seeds are not among those that
 * docs/engines/screen.md reports on. */
static const char text[] =
    "kizashi-screening-rules 1\n"
    "\n"
    "# Several machines of one network that ask for many services with the same program.\n"
    "rule survey-fleet\n"
    "  label survey\n"
    "  tag survey-like\n"
    "  if neighbours >= 4\n"
    "  if services >= 10\n"
    "  unless class worm\n"
    "\n"
    "# A whole network at work on one or few services.\n"
    "rule survey-crew\n"
    "  label survey\n"
    "  tag survey-like\n"
    "  if neighbours >= 8\n"
    "  if places >= 12\n"
    "  unless class worm\n"
    "\n"
    "# One machine that goes through very many services for hours on end.\n"
    "rule survey-broad\n"
    "  label survey\n"
    "  tag survey-like\n"
    "  if services >= 50\n"
    "  if places >= 32\n"
    "  if hours >= 3\n"
    "  unless class worm\n";

enum err rules_builtin(struct rules *r, struct fault *f)
{
    return rules_parse(r, "built-in rules", bytes_over(text, sizeof text - 1), f);
}
