// Element-wise sum at a common scale (see quant/common_scale.rs) for Armv7E-M and Armv8-M with the DSP extension.
//
// The first operand's factor is exactly 1/2, so that it has nothing to round; it is doubled here, and so is the second one
// after its rounding, since smmulr wants a doubled sum. Both roundings are those of lanes.s.

.syntax unified
.thumb

.macro add_one
    ldrsb   lr, [r0], #1
    ldrsb   r11, [r1], #1
    add     lr, r4, lr, lsl #20
    add     r11, r5, r11, lsl #21
    smmulr  r11, r11, r6
    add     r11, r11, r11, asr #31
    asrs    r11, r11, r7
    adc     r11, r11, #0
    add     lr, lr, r11, lsl #1
    smmulr  lr, lr, r8
    add     lr, lr, lr, asr #31
    asrs    lr, lr, r9
    adc     lr, lr, r10
    ssat    lr, #8, lr
    strb    lr, [r2], #1
.endm

// r0, r1: operands, r2: output, r3: elements, a multiple of 4 and not 0, [sp]: arguments.
function secateur_add
    push    {r4-r11, lr}
    ldr     r12, [sp, #36]
    ldm     r12, {r4-r10}               // -zero point << 20 and << 21, mantissa, shift; of the sum: mantissa, shift, zero point
    add     r12, r2, r3
.Ladd:
    add_one
    add_one
    add_one
    add_one
    cmp     r2, r12
    bne     .Ladd
    pop     {r4-r11, pc}
    .size secateur_add, . - secateur_add
