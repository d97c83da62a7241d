/* A state that reach_load() takes is saved as the same bytes, and the engine works on from it.
 */
#include "engine/reach/reach.h"
#include "engine_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    engine_state_try(&engine_reach, data, size);
    return 0;
}
