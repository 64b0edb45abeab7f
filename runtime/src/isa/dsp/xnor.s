// Binary weights times binary inputs (see packing/xnor.rs) for Armv7E-M and Armv8-M with the DSP extension.
//
//     for each channel:
//         differing = 0
//         for each 32 inputs:
//             differing += bits set in (weights ^ negative inputs) & inputs that count
//         sum = bias + inputs that count - 2 differing
//         requantize, store a byte
//
// Bits are counted in pairs, then in nibbles, then in bytes, whose sum a sum of absolute differences from 0 adds up. The slots
// and the requantization are those of lanes.s.

.syntax unified
.thumb

// r0: arguments.
function secateur_xnor
    push    {r4-r11, lr}
    reserve_slots 16
    ldm     r0, {r0-r8}             // weights, input, words, records, their end, output, counted, back, zero point
    keep    INPUT, r1
    keep    COUNT, r2
    keep    LAST_RECORD, r4
    keep    BACK, r7
    keep    ZERO_POINT, r8
    mov     r11, r3
    mov     r12, r5
    lsl     lr, r6, #1
    mov     r6, #0x55555555
    mov     r7, #0x33333333
    mov     r10, #0
.Lxnor_row:
    fetch   r2, COUNT
    fetch   r1, INPUT
    mov     r8, #0
.Lxnor_word:
    ldr     r9, [r0], #4
    ldrd    r3, r4, [r1], #8
    eor     r9, r9, r3
    and     r9, r9, r4
    and     r5, r6, r9, lsr #1
    sub     r9, r9, r5
    and     r5, r7, r9, lsr #2
    and     r9, r9, r7
    add     r9, r9, r5
    add     r9, r9, r9, lsr #4
    and     r9, r9, #0x0f0f0f0f
    usada8  r8, r9, r10, r8
    subs    r2, r2, #1
    bne     .Lxnor_word
    ldm     r11!, {r2, r3, r4}      // twice the bias, mantissa, right shift
    sub     r8, lr, r8, lsl #2
    add     r8, r8, r2
    fetch   r5, ZERO_POINT
    cmp     r4, #0
    ble     .Lxnor_left
    requantize r8, 0
.Lxnor_store:
    strb    r8, [r12], #1
    fetch   r2, BACK
    sub     r0, r0, r2
    fetch   r2, LAST_RECORD
    cmp     r11, r2
    blo     .Lxnor_row
    release_slots 16
    pop     {r4-r11, pc}
.Lxnor_left:
    rsb     r4, r4, #0
    lsl     r8, r8, r4
    smmulr  r8, r8, r3
    add     r8, r8, r5
    ssat    r8, #8, r8
    b       .Lxnor_store
    .size secateur_xnor, . - secateur_xnor
