// Sign extension and arithmetic shifts as the machine has them: one instruction or two where
// Verilator's own take four and more, and every multiplication extends both factors.
#include "verilated.h"

static inline IData extend_i(int bits, IData value) {
    return static_cast<IData>(static_cast<int32_t>(value << (32 - bits)) >> (32 - bits));
}
static inline QData extend_q(int bits, QData value) {
    return static_cast<QData>(static_cast<int64_t>(value << (64 - bits)) >> (64 - bits));
}
static inline QData shift_q(int to, int from, QData value, IData by) {
    return static_cast<QData>(static_cast<int64_t>(extend_q(from, value)) >> (by < 63 ? by : 63))
           & VL_MASK_Q(to);
}

#define VL_EXTENDS_II(to, from, value) extend_i(from, value)
#define VL_EXTENDS_QI(to, from, value) extend_q(from, value)
#define VL_EXTENDS_QQ(to, from, value) extend_q(from, value)
#define VL_SHIFTRS_QQI(to, from, bits, value, by) shift_q(to, from, value, by)
