// The one part of the harness that knows a model's class and its ports.
#include <cstdint>
#include <cstring>

#include "Vmodel.h"

void* model_new(VerilatedContext* context) { return new Vmodel{context}; }
void model_eval(void* model) { static_cast<Vmodel*>(model)->eval(); }
void model_delete(void* model) { delete static_cast<Vmodel*>(model); }

// Storage of a port and its width in bits, or null.
void* model_port(void* model, const char* name, size_t* bits) {
#define PORT(port, width)                         \
    if (!std::strcmp(name, #port)) {              \
        *bits = width;                            \
        return &static_cast<Vmodel*>(model)->port; \
    }
#include "ports.inc"    // PORT(clk, 1) ..., made from Vmodel.h
#undef PORT
    return nullptr;
}
