// Dense layers on nibble lanes (see packing/nibble_lanes.rs) for Armv7E-M and Armv8-M with the DSP extension.
//
// One function per group size S (output channels) and number of pixels P that share the loads of weights; what is not said
// here is as in lanes.s, whose macros these functions use:
//
//     for each step of the strip:
//         excess[pixel] = 8 x the sum of the pixel's inputs
//         for each group:
//             F, G, H, N[quad][pixel] = the record's initial values
//             for each input pair:
//                 for each quad:
//                     F += dual product of the raw weight word and the inputs
//                     G += dual product of the word's low bytes and the inputs
//                     H += dual product of the word's even nibbles and the inputs
//                     N += dual product of the even nibbles' low bytes and the inputs
//             take the four sums apart, without the excess
//             requantize, store S bytes per pixel
//
// Tricks: three unpacking instructions serve eight weights, and the mask of even nibbles is an immediate. Shifts by one bit
// less leave sums doubled, as smmulr wants them.

.syntax unified
.thumb

    slot    EXCESS, 16      // of pixel 0
    slot    EXCESS_1, 17    // of pixel 1

.equ NIBBLE_SLOTS, 18

// The excess of one pixel, whose pairs are words side by side. \quads: words of weights of a pair.
.macro sum_inputs quads
    fetch   r1, INPUT
    fetch   r2, BACK
.if \quads == 1
    add     r1, r1, r2
.else
    add     r1, r1, r2, lsr #1
.endif
    fetch   r2, END
    mov     r5, #0x00010001
    mov     r6, #0
1:
    ldr     r3, [r1, #4]!
    smlad   r6, r3, r5, r6
    cmp     r1, r2
    bne     1b
    lsl     r6, r6, #3
    keep    EXCESS, r6
.endm

// The excess of two pixels, whose pairs take turns.
.macro sum_inputs_x2
    fetch   r1, INPUT
    fetch   r2, BACK
    add     r1, r1, r2, lsl #1
    fetch   r2, END
    mov     r5, #0x00010001
    mov     r6, #0
    mov     r7, #0
1:
    ldr     r4, [r1, #8]
    ldr     r3, [r1, #4]
    add     r1, r1, #8
    smlad   r7, r4, r5, r7
    smlad   r6, r3, r5, r6
    cmp     r1, r2
    bne     1b
    lsl     r6, r6, #3
    lsl     r7, r7, #3
    keep    EXCESS, r6
    keep    EXCESS_1, r7
.endm

// The sums of a quad's channels 3, 1, 2, 0 in place of F, G, H, N; all but the last one doubled.
.macro take_apart full, low, even, lowest, excess
    sub     \full, \full, \low
    sub     \even, \even, \lowest
    sub     \full, \full, \even
    sub     \low, \low, \lowest
    sub     \even, \even, \excess, lsl #8
    sub     \low, \low, \excess, lsl #4
    sub     \lowest, \lowest, \excess
    asr     \full, \full, #11
    asr     \even, \even, #7
    asr     \low, \low, #3
.endm

// Goes to \done where \count channels of the group are all that are to be stored. Overwrites \scratch.
.macro unless_last scratch, count, done
    fetch   \scratch, FINISH
    cmp     \scratch, #(\count + 1)
    beq     \done
.endm

// ---- 4 channels x 2 pixels: F, G, H, N in r6-r9 and r10-r12, lr ----

.macro step_nibbles_4x2 u, last_word=0, last_input=0
.if \last_word
    ldr.w   r2, [r0, #\last_word]!
    ldr.w   r4, [r1, #(8 * \u + 4)]
    ldr.w   r5, [r1, #\last_input]!
.else
    ldr.w   r2, [r0, #(4 * \u + 4)]
    ldr.w   r4, [r1, #(8 * \u + 4)]
    ldr.w   r5, [r1, #(8 * \u + 8)]
.endif
    uxtb16 r3, r2
    smlad   r6, r2, r4, r6
    smlad   r10, r2, r5, r10
    and     r2, r2, #0x0f0f0f0f
    smlad   r7, r3, r4, r7
    smlad   r11, r3, r5, r11
    uxtb16 r3, r2
    smlad   r8, r2, r4, r8
    smlad   r12, r2, r5, r12
    smlad   r9, r3, r4, r9
    smlad   lr, r3, r5, lr
.endm

.macro finish_nibbles_4x2 relu
    finish_x2 r9, lr, 0, \relu
    finish_x2 r7, r11, 1, \relu
    finish_x2 r8, r12, 1, \relu
    finish_x2 r6, r10, 1, \relu
.endm

function secateur_nibble_lanes_4x2
    prologue .Lnibble_loop_4x2, 4, 8, 8, 56, NIBBLE_SLOTS
.Lnibble_step_4x2:
    sum_inputs_x2
    begin_step
.Lnibble_group_4x2:
    ldm     r1!, {r6-r9}
    mov     r10, r6
    mov     r11, r7
    mov     r12, r8
    mov     lr, r9
    enter
    .p2align 2
.Lnibble_loop_4x2:
    step_nibbles_4x2 0
    step_nibbles_4x2 1
    step_nibbles_4x2 2
    step_nibbles_4x2 3
    step_nibbles_4x2 4
    step_nibbles_4x2 5
    step_nibbles_4x2 6
    step_nibbles_4x2 7, 32, 64
    again   .Lnibble_loop_4x2
    fetch   r2, EXCESS
    fetch   r3, EXCESS_1
    take_apart r6, r7, r8, r9, r2
    take_apart r10, r11, r12, lr, r3
    begin_finish
    second_output
    fetch   r3, FINISH
    cmp     r3, #0
    bne     .Lnibble_any_4x2
    finish_nibbles_4x2 1
.Lnibble_done_4x2:
    next    .Lnibble_group_4x2, .Lnibble_step_4x2, NIBBLE_SLOTS
.Lnibble_any_4x2:
    finish_x2 r9, lr, 0, 0
    unless_last r9, 1, .Lnibble_last_4x2
    finish_x2 r7, r11, 1, 0
    unless_last r7, 2, .Lnibble_last_4x2
    finish_x2 r8, r12, 1, 0
    unless_last r8, 3, .Lnibble_last_4x2
    finish_x2 r6, r10, 1, 0
    b       .Lnibble_done_4x2
.Lnibble_last_4x2:
    fetch   r1, LAST_RECORD
    b       .Lnibble_done_4x2
    .size secateur_nibble_lanes_4x2, . - secateur_nibble_lanes_4x2

// ---- 8 channels x 1 pixel: F, G, H, N in r6-r9 and r10-r12, lr ----

.macro step_nibbles_8x1 u, last_word=0, last_input=0
.if \last_word
    ldr.w   r4, [r1, #\last_input]!
    ldr.w   r2, [r0, #(8 * \u + 4)]
    ldr.w   r3, [r0, #\last_word]!
.else
    ldr.w   r4, [r1, #(4 * \u + 4)]
    ldr.w   r2, [r0, #(8 * \u + 4)]
    ldr.w   r3, [r0, #(8 * \u + 8)]
.endif
    uxtb16 r5, r2
    smlad   r6, r2, r4, r6
    and     r2, r2, #0x0f0f0f0f
    smlad   r7, r5, r4, r7
    uxtb16 r5, r2
    smlad   r8, r2, r4, r8
    uxtb16 r2, r3
    smlad   r9, r5, r4, r9
    smlad   r10, r3, r4, r10
    and     r3, r3, #0x0f0f0f0f
    smlad   r11, r2, r4, r11
    uxtb16 r2, r3
    smlad   r12, r3, r4, r12
    smlad   lr, r2, r4, lr
.endm

.macro finish_nibbles_8x1
    finish_x1 r9, 0, 0
    finish_x1 r7, 1, 0
    finish_x1 r8, 1, 0
    finish_x1 r6, 1, 0
    finish_x1 lr, 0, 0
    finish_x1 r11, 1, 0
    finish_x1 r12, 1, 0
    finish_x1 r10, 1, 0
.endm

function secateur_nibble_lanes_8x1
    prologue .Lnibble_loop_8x1, 8, 4, 8, 68, NIBBLE_SLOTS
.Lnibble_step_8x1:
    sum_inputs 2
    begin_step
.Lnibble_group_8x1:
    ldm     r1!, {r6-r12, lr}
    enter
    .p2align 2
.Lnibble_loop_8x1:
    step_nibbles_8x1 0
    step_nibbles_8x1 1
    step_nibbles_8x1 2
    step_nibbles_8x1 3
    step_nibbles_8x1 4
    step_nibbles_8x1 5
    step_nibbles_8x1 6
    step_nibbles_8x1 7, 64, 32
    again   .Lnibble_loop_8x1
    fetch   r2, EXCESS
    take_apart r6, r7, r8, r9, r2
    take_apart r10, r11, r12, lr, r2
    begin_finish
    finish_nibbles_8x1
    next    .Lnibble_group_8x1, .Lnibble_step_8x1, NIBBLE_SLOTS
    .size secateur_nibble_lanes_8x1, . - secateur_nibble_lanes_8x1

// ---- 4 channels x 1 pixel: F, G, H, N in r6-r9 ----

.macro step_nibbles_4x1 u, last=0
.if \last
    ldr.w   r4, [r1, #\last]!
    ldr.w   r2, [r0, #\last]!
.else
    ldr.w   r4, [r1, #(4 * \u + 4)]
    ldr.w   r2, [r0, #(4 * \u + 4)]
.endif
    uxtb16 r3, r2
    smlad   r6, r2, r4, r6
    and     r2, r2, #0x0f0f0f0f
    smlad   r7, r3, r4, r7
    uxtb16 r3, r2
    smlad   r8, r2, r4, r8
    smlad   r9, r3, r4, r9
.endm

function secateur_nibble_lanes_4x1
    prologue .Lnibble_loop_4x1, 4, 4, 4, 36, NIBBLE_SLOTS
.Lnibble_step_4x1:
    sum_inputs 1
    begin_step
.Lnibble_group_4x1:
    ldm     r1!, {r6-r9}
    enter
    .p2align 2
.Lnibble_loop_4x1:
    step_nibbles_4x1 0
    step_nibbles_4x1 1
    step_nibbles_4x1 2
    step_nibbles_4x1 3, 16
    again   .Lnibble_loop_4x1
    fetch   r2, EXCESS
    take_apart r6, r7, r8, r9, r2
    begin_finish
    finish_x1 r9, 0, 0
    unless_last r9, 1, .Lnibble_last_4x1
    finish_x1 r7, 1, 0
    unless_last r7, 2, .Lnibble_last_4x1
    finish_x1 r8, 1, 0
    unless_last r8, 3, .Lnibble_last_4x1
    finish_x1 r6, 1, 0
.Lnibble_done_4x1:
    next    .Lnibble_group_4x1, .Lnibble_step_4x1, NIBBLE_SLOTS
.Lnibble_last_4x1:
    fetch   r1, LAST_RECORD
    b       .Lnibble_done_4x1
    .size secateur_nibble_lanes_4x1, . - secateur_nibble_lanes_4x1
