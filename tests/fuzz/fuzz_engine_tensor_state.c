/* A state that tensor_load() takes is saved as the same bytes, and the engine works on from it.
 */
#include "engine/tensor/tensor.h"
#include "engine_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    engine_state_try(&engine_tensor, data, size);
    return 0;
}
