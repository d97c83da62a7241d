#include "cmd/commands.h"

#include <stdio.h>

int main(void)
{
    fprintf(stderr, "kizashi: no commands yet\n");
    return EXIT_USAGE;
}
