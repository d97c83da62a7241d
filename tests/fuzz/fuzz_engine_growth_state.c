/* A state that growth_load() takes is saved as the same bytes, and the engine works on from it.
 */
#include "engine/growth/growth.h"
#include "engine_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    engine_state_try(&engine_growth, data, size);
    return 0;
}
