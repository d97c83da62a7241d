/* A state that glasso's load() takes is saved as the same bytes, and the engine works on from
 * it. */
#include "engine/glasso/glasso.h"
#include "engine_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    engine_state_try(&engine_glasso, data, size);
    return 0;
}
