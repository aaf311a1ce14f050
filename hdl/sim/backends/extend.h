// Sign extension, products and arithmetic shifts as the machine has them: one instruction or two
// where Verilator's own take four and more, and every multiplication extends both factors again.
#include "verilated.h"

// A sign-extended number and the mask that Verilator puts on it.  Whoever uses a product of so many
// bits drops what lies above, on which none of them depends: there a factor takes no mask.
template <typename Word>
struct Extended {
    Word value;
    Word mask;
    operator Word() const { return value & mask; }
};
template <typename Mask, typename Word>
static inline Extended<Word> operator&(Mask mask, Extended<Word> it) {
    return {it.value, static_cast<Word>(mask & it.mask)};
}
template <typename Word>
static inline Word factor(Word product, Extended<Word> it) {
    return it.value & (it.mask | ~product);
}
template <typename Word>
static inline Word factor(Word, Word it) { return it; }

static inline Extended<IData> extend_i(int bits, IData value) {
    return {static_cast<IData>(static_cast<int32_t>(value << (32 - bits)) >> (32 - bits)),
            ~IData{0}};
}
static inline Extended<QData> extend_q(int bits, QData value) {
    return {static_cast<QData>(static_cast<int64_t>(value << (64 - bits)) >> (64 - bits)),
            ~QData{0}};
}
static inline QData shift_q(int to, int from, QData value, IData by) {
    return static_cast<QData>(static_cast<int64_t>(extend_q(from, value).value)
                              >> (by < 63 ? by : 63)) & VL_MASK_Q(to);
}

#define VL_EXTENDS_II(to, from, value) extend_i(from, value)
#define VL_EXTENDS_QI(to, from, value) extend_q(from, value)
#define VL_EXTENDS_QQ(to, from, value) extend_q(from, value)
#define VL_SHIFTRS_QQI(to, from, bits, value, by) shift_q(to, from, value, by)
#define VL_MULS_III(bits, left, right) \
    (factor<IData>(VL_MASK_I(bits), left) * factor<IData>(VL_MASK_I(bits), right))
#define VL_MULS_QQQ(bits, left, right) \
    (factor<QData>(VL_MASK_Q(bits), left) * factor<QData>(VL_MASK_Q(bits), right))
