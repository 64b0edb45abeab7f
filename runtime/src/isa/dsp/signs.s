// Weights as signs (see packing/signs.rs) for Armv7E-M and Armv8-M with the DSP extension.
//
// One function per number of pixels P that share the loads of masks, each for a pair of channels:
//
//     for each P pixels:
//         S[channel][pixel] = the record's initial values
//         for each four inputs:
//             S += sum of absolute differences of the inputs and the channel's mask
//         requantize, store the pair's bytes of each pixel
//
// The loop is unrolled and entered in the middle as those of lanes.s are, whose slots and macros these functions use.

.syntax unified
.thumb

// Words of bits to eight masks each. r0: words, r1: masks, r2: words (at least 1).
.macro expand_mask bit
    and     r3, r5, r4, lsr #\bit
    rsb     r3, r3, r3, lsl #8
    str     r3, [r1, #(4 * \bit)]
.endm

function secateur_expand_signs
    push    {r4, r5}
    mov     r5, #0x01010101
.Lexpand:
    ldr     r4, [r0], #4
    and     r3, r4, r5
    rsb     r3, r3, r3, lsl #8
    str     r3, [r1]
    expand_mask 1
    expand_mask 2
    expand_mask 3
    expand_mask 4
    expand_mask 5
    expand_mask 6
    expand_mask 7
    adds    r1, r1, #32
    subs    r2, r2, #1
    bne     .Lexpand
    pop     {r4, r5}
    bx      lr
    .size secateur_expand_signs, . - secateur_expand_signs

// Bytes as unsigned ones. r0: bytes (any alignment), r1: words, r2: words (at least 1), r3: bytes from a word to the next.
function secateur_lay_out_signs
    push    {r4, r5}
    subs    r2, r2, #2
    blt     .Llay_out_last
.Llay_out:
    ldr     r4, [r0], #4
    ldr     r5, [r0], #4
    eor     r4, r4, #0x80808080
    eor     r5, r5, #0x80808080
    str     r4, [r1]
    str     r5, [r1, r3]
    add     r1, r1, r3, lsl #1
    subs    r2, r2, #2
    bge     .Llay_out
.Llay_out_last:
    adds    r2, r2, #1
    bne     .Llay_out_done
    ldr     r4, [r0]
    eor     r4, r4, #0x80808080
    str     r4, [r1]
.Llay_out_done:
    pop     {r4, r5}
    bx      lr
    .size secateur_lay_out_signs, . - secateur_lay_out_signs

// r0: arguments. Leaves the slots filled; FINISH are the channels, FIRST_WORDS the masks.
.macro begin_signs loop, input_bytes, step_bytes, unroll
    push    {r4-r11, lr}
    reserve_slots 16
    ldm     r0, {r0-r8}             // masks, input, record, output, pitch, quads, count, zero point, channels
    keep    RECORD, r2
    keep    OUTPUT, r3
    keep    PITCH, r4
    keep    COUNT, r6
    keep    ZERO_POINT, r7
    keep    FINISH, r8
    rsb     r6, r5, #0
    and     r6, r6, #(\unroll - 1)   // steps that the first round skips
    sub     r0, r0, #4
    sub     r0, r0, r6, lsl #3
    keep    FIRST_WORDS, r0
    mov     r7, #\input_bytes
    sub     r1, r1, #4
    mls     r2, r6, r7, r1
    keep    INPUT, r2
    mla     r3, r5, r7, r1
    keep    END, r3
    mul     r5, r5, r7
    keep    STEP, r5
    mov     r7, #\step_bytes
    adr.w   r8, \loop
    mla     r6, r6, r7, r8
    orr     r6, r6, #1
    keep    ENTRY, r6
.endm

.macro enter_signs
    fetch   r2, ENTRY
    fetch   r0, FIRST_WORDS
    fetch   r1, INPUT
    bx      r2
.endm

// The next pixels, whose outputs are at r0, or the end.
.macro next_signs pixels
    fetch   r2, COUNT
    subs    r2, r2, #1
    beq     1f
    keep    COUNT, r2
    keep    OUTPUT, r0
    fetch   r3, STEP
    fetch   r1, INPUT
    add     r1, r1, r3
    keep    INPUT, r1
    fetch   r1, END
    add     r1, r1, r3
    keep    END, r1
    b       \pixels
1:
    release_slots 16
    pop     {r4-r11, pc}
.endm

.macro finish_sign sum
    lsl     \sum, \sum, #1
    requantize \sum, 0
.endm

// ---- 4 pixels: upper channel's sums r10-r12, lr, lower channel's r6-r9 ----

.macro step_signs_x4 u, last_mask=0, last_input=0
    ldr.w   r2, [r0, #(8 * \u + 4)]
.if \last_mask
    ldr.w   r3, [r0, #\last_mask]!
.else
    ldr.w   r3, [r0, #(8 * \u + 8)]
.endif
    ldr.w   r4, [r1, #(16 * \u + 4)]
    ldr.w   r5, [r1, #(16 * \u + 8)]
    usada8  r6, r4, r2, r6
    usada8  r10, r4, r3, r10
    usada8  r7, r5, r2, r7
    usada8  r11, r5, r3, r11
    ldr.w   r4, [r1, #(16 * \u + 12)]
.if \last_input
    ldr.w   r5, [r1, #\last_input]!
.else
    ldr.w   r5, [r1, #(16 * \u + 16)]
.endif
    usada8  r8, r4, r2, r8
    usada8  r12, r4, r3, r12
    usada8  r9, r5, r2, r9
    usada8  lr, r5, r3, lr
.endm

// One channel of four pixels; the first output is at r0, r2 is their distance.
.macro store_signs sum0, sum1, sum2, sum3
    finish_sign \sum0
    finish_sign \sum1
    finish_sign \sum2
    finish_sign \sum3
    strb    \sum0, [r0]
    strb    \sum1, [r0, r2]
    add     r3, r0, r2, lsl #1
    strb    \sum2, [r3]
    strb    \sum3, [r3, r2]
.endm

function secateur_signs_x4
    begin_signs .Lsigns_loop_x4, 16, 56, 8
.Lsigns_pixels_x4:
    fetch   r2, RECORD
    ldrd    r6, r10, [r2]
    mov     r7, r6
    mov     r8, r6
    mov     r9, r6
    mov     r11, r10
    mov     r12, r10
    mov     lr, r10
    enter_signs
    .p2align 2
.Lsigns_loop_x4:
    step_signs_x4 0
    step_signs_x4 1
    step_signs_x4 2
    step_signs_x4 3
    step_signs_x4 4
    step_signs_x4 5
    step_signs_x4 6
    step_signs_x4 7, 64, 128
    again   .Lsigns_loop_x4
    fetch   r0, OUTPUT
    fetch   r1, RECORD
    fetch   r2, PITCH
    fetch   r5, ZERO_POINT
    ldrd    r3, r4, [r1, #8]
    store_signs r6, r7, r8, r9
    fetch   r3, FINISH
    cmp     r3, #1
    beq     .Lsigns_next_x4
    adds    r0, r0, #1
    ldrd    r3, r4, [r1, #16]
    store_signs r10, r11, r12, lr
    subs    r0, r0, #1
.Lsigns_next_x4:
    add     r0, r0, r2, lsl #2
    next_signs .Lsigns_pixels_x4
    .size secateur_signs_x4, . - secateur_signs_x4

// ---- 1 pixel: lower channel's sum r6, upper channel's r10 ----

.macro step_signs_x1 u, last_mask=0, last_input=0
    ldr.w   r2, [r0, #(8 * \u + 4)]
.if \last_input
    ldr.w   r4, [r1, #\last_input]!
    ldr.w   r3, [r0, #\last_mask]!
.else
    ldr.w   r4, [r1, #(4 * \u + 4)]
    ldr.w   r3, [r0, #(8 * \u + 8)]
.endif
    usada8  r6, r4, r2, r6
    usada8  r10, r4, r3, r10
.endm

function secateur_signs_x1
    begin_signs .Lsigns_loop_x1, 4, 20, 4
.Lsigns_pixels_x1:
    fetch   r2, RECORD
    ldrd    r6, r10, [r2]
    enter_signs
    .p2align 2
.Lsigns_loop_x1:
    step_signs_x1 0
    step_signs_x1 1
    step_signs_x1 2
    step_signs_x1 3, 32, 16
    again   .Lsigns_loop_x1
    fetch   r0, OUTPUT
    fetch   r1, RECORD
    fetch   r5, ZERO_POINT
    ldrd    r3, r4, [r1, #8]
    finish_sign r6
    strb    r6, [r0]
    fetch   r3, FINISH
    cmp     r3, #1
    beq     .Lsigns_next_x1
    ldrd    r3, r4, [r1, #16]
    finish_sign r10
    strb    r10, [r0, #1]
.Lsigns_next_x1:
    fetch   r2, PITCH
    add     r0, r0, r2
    next_signs .Lsigns_pixels_x1
    .size secateur_signs_x1, . - secateur_signs_x1
