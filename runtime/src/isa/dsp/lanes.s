// Dense layers on byte-pair lanes (see packing/lanes.rs) for Armv7E-M and Armv8-M with the DSP extension.
//
// One function per group size S (output channels) and number of pixels P that share the loads of weights:
//
//     for each step of the strip:
//         for each group:
//             F[pair][pixel], L[pair][pixel] = the record's initial values
//             for each input pair:
//                 for each channel pair:
//                     F += dual product of the raw weight word and the inputs   (256 x upper sum + lower sum)
//                     L += dual product of the word's low bytes and the inputs  (lower sum)
//             upper sum = (F - L) >> 8, lower sum = L
//             requantize, store S bytes per pixel
//
// Tricks: one sxtb16 unpacks four weights. A shift by 7 instead of 8 leaves the upper sum doubled, as smmulr wants it. The
// loop over input pairs is unrolled; where the number of pairs is no multiple of the unrolling, the first round starts
// inside the block, with pointers set back accordingly, so there is no tail. The last loads of a block move the pointers on,
// which therefore stand one word before what they point to. Every instruction of a step is 4 bytes long: the place to start
// at is a product. All registers but sp and pc hold data; the rest lives in slots.

.syntax unified
.thumb

    slot    END, 0          // where the inputs of this step of the strip end
    slot    INPUT, 1        // inputs, set back by the steps that the first round skips
    slot    ENTRY, 2        // where the first round starts
    slot    BACK, 3         // bytes that the weights are set back by
    slot    OUTPUT, 4       // next output of pixel 0
    slot    RECORD, 5       // next record
    slot    WORDS, 6        // next weights
    slot    FIRST_WORDS, 7
    slot    FIRST_RECORD, 8
    slot    LAST_RECORD, 9  // end of the records
    slot    ZERO_POINT, 10
    slot    PITCH, 11       // bytes from pixel 0 to pixel 1 in the output
    slot    FINISH, 12      // 0: the lower clamp is the zero point, -128; 2: the last channel is not stored; 1: otherwise
    slot    COUNT, 13       // steps of the strip that are left
    slot    STEP, 14        // bytes from the inputs of a step to those of the next
    slot    GAP, 15         // bytes from the end of a step's outputs to the next ones

// r0: arguments. Leaves the slots filled. \done: where to go instead of the loop if there is one input pair only; given if the
// first pair stands before the loop, so that BACK moves weights and inputs from there, and INPUT is not set back.
.macro prologue loop, weight_bytes, input_bytes, unroll, step_bytes, slots=16, done
    push    {r4-r11, lr}
    reserve_slots \slots
    ldm     r0!, {r1-r8}            // words, input, records, their end, output, pairs, count, step
    sub     r1, r1, #4
    sub     r2, r2, #4
    keep    FIRST_WORDS, r1
    keep    FIRST_RECORD, r3
    keep    LAST_RECORD, r4
    keep    OUTPUT, r5
    keep    COUNT, r7
    keep    STEP, r8
    ldm     r0, {r3, r4, r5, r7}    // gap, pitch, zero point, finish
    keep    GAP, r3
    keep    PITCH, r4
    keep    ZERO_POINT, r5
    keep    FINISH, r7
    mov     r11, #\input_bytes
    mla     r12, r6, r11, r2
    keep    END, r12
.ifb \done
    rsb     r10, r6, #0
    and     r10, r10, #(\unroll - 1)
    mls     r2, r10, r11, r2
.else
    rsb     r10, r6, #1
    and     r10, r10, #(\unroll - 1)
.endif
    keep    INPUT, r2
    mov     r11, #\weight_bytes
    mul     r11, r10, r11
.ifnb \done
    rsb     r11, r11, #\weight_bytes
.endif
    keep    BACK, r11
    mov     lr, #\step_bytes
    mul     r10, r10, lr
    adr.w   lr, \loop
    add     r10, r10, lr
.ifnb \done
    cmp     r6, #1
    bne     1f
    adr.w   r10, \done
1:
.endif
    orr     r10, r10, #1
    keep    ENTRY, r10
.endm

// A step of the strip begins: r0 are the weights, r1 is the record.
.macro begin_step
    fetch   r0, FIRST_WORDS
    fetch   r1, FIRST_RECORD
.endm

// r1 is behind the initial values. Enters the unrolled block.
.macro enter
    keep    RECORD, r1
    fetch   r5, ENTRY
    fetch   r2, BACK
    fetch   r1, INPUT
    sub     r0, r0, r2
    bx      r5
.endm

// Goes to the loop's start until the inputs are used up. Overwrites r2.
.macro again loop
    fetch   r2, END
    cmp     r1, r2
    bne     \loop
.endm

// Twice the upper sum into \full.
.macro split full, low
    sub     \full, \full, \low
    asr     \full, \full, #7
.endm

// TensorFlow Lite's two roundings of a doubled sum: mantissa in r3, right shift (1 to 31) in r4, zero point in r5.
// The add turns "round half up" into "round half away from zero"; the last bit shifted out is the carry that rounds.
// With a lower clamp at the zero point -128 the sign of a half below zero does not matter.
.macro requantize sum, relu
    smmulr  \sum, \sum, r3
.if !\relu
    add     \sum, \sum, \sum, asr #31
.endif
    asrs    \sum, \sum, r4
    adc     \sum, \sum, r5
    ssat    \sum, #8, \sum
.endm

// One channel of two pixels; by default the next outputs are at r0 and r2, the record at r1.
.macro finish_x2 sum0, sum1, doubled, relu, output0=r0, output1=r2, record=r1
    ldrd    r3, r4, [\record], #12
.if !\doubled
    lsl     \sum0, \sum0, #1
    lsl     \sum1, \sum1, #1
.endif
    requantize \sum0, \relu
    requantize \sum1, \relu
    strb    \sum0, [\output0], #1
    strb    \sum1, [\output1], #1
.endm

// One channel of one pixel.
.macro finish_x1 sum, doubled, relu
    ldrd    r3, r4, [r1], #12
.if !\doubled
    lsl     \sum, \sum, #1
.endif
    requantize \sum, \relu
    strb    \sum, [r0], #1
.endm

.macro begin_finish
    keep    WORDS, r0
    fetch   r0, OUTPUT
    fetch   r1, RECORD
    fetch   r5, ZERO_POINT
.endm

// r2: outputs of the second pixel.
.macro second_output
    fetch   r2, PITCH
    add     r2, r2, r0
.endm

// Goes to \done before a last channel that is not to be stored. Overwrites \scratch.
.macro unless_odd scratch, done
    fetch   \scratch, FINISH
    cmp     \scratch, #2
    beq     \done
.endm

// The next group, the next step of the strip, or the end.
.macro next group, step, slots=16
    keep    OUTPUT, r0
    fetch   r0, WORDS
    fetch   r2, LAST_RECORD
    cmp     r1, r2
    blo     \group
    next_step \step, \slots
.endm

// The next step of the strip, or the end.
.macro next_step step, slots=16
    fetch   r2, COUNT
    subs    r2, r2, #1
    beq     1f
    keep    COUNT, r2
    fetch   r2, OUTPUT
    fetch   r3, GAP
    add     r2, r2, r3
    keep    OUTPUT, r2
    fetch   r3, STEP
    fetch   r2, INPUT
    add     r2, r2, r3
    keep    INPUT, r2
    fetch   r2, END
    add     r2, r2, r3
    keep    END, r2
    b       \step
1:
    release_slots \slots
    pop     {r4-r11, pc}
.endm

// ---- 4 channels x 2 pixels: F01 r6 r8, L01 r7 r9, F23 r10 r12, L23 r11 lr ----

// \last: the step's last loads move the pointers on by this many bytes.
.macro step_4x2 u, last=0
    ldr.w   r2, [r0, #(8 * \u + 4)]
.if \last
    ldr.w   r3, [r0, #\last]!
    ldr.w   r4, [r1, #(8 * \u + 4)]
    ldr.w   r5, [r1, #\last]!
.else
    ldr.w   r3, [r0, #(8 * \u + 8)]
    ldr.w   r4, [r1, #(8 * \u + 4)]
    ldr.w   r5, [r1, #(8 * \u + 8)]
.endif
    smlad   r6, r2, r4, r6
    smlad   r8, r2, r5, r8
    sxtb16  r2, r2
    smlad   r10, r3, r4, r10
    smlad   r12, r3, r5, r12
    sxtb16  r3, r3
    smlad   r7, r2, r4, r7
    smlad   r9, r2, r5, r9
    smlad   r11, r3, r4, r11
    smlad   lr, r3, r5, lr
.endm

// One channel of two pixels with the addend of its record, which is at r2. The outputs are at r1 and r3. \odd: the sums are
// those of an upper channel, times 256.
.macro finish_added sum0, sum1, odd, mantissa, shift, addend
    ldm     r2!, {\mantissa, \shift, \addend}
.if \odd
    smmla   \sum0, \sum0, \mantissa, \addend
    smmla   \sum1, \sum1, \mantissa, \addend
    asr     \sum0, \sum0, \shift
    asr     \sum1, \sum1, \shift
    ssat    \sum0, #8, \sum0, asr #7
    ssat    \sum1, #8, \sum1, asr #7
.else
    lsl     \sum0, \sum0, #1
    lsl     \sum1, \sum1, #1
    smmlar  \sum0, \sum0, \mantissa, \addend
    smmlar  \sum1, \sum1, \mantissa, \addend
    asr     \sum0, \sum0, \shift
    asr     \sum1, \sum1, \shift
    ssat    \sum0, #8, \sum0
    ssat    \sum1, #8, \sum1
.endif
.endm

.macro store_x2 sum0, sum1
    strb    \sum0, [r1], #1
    strb    \sum1, [r3], #1
.endm

// As finish_x2, with outputs at r1 and r0 and the record at r2.
.macro finish_any sum0, sum1, doubled
    finish_x2 \sum0, \sum1, \doubled, 0, r1, r0, r2
.endm

// The weights stay in r0 from group to group, the record is in r2 between them.
function secateur_lanes_4x2
    prologue .Lloop_4x2, 8, 8, 8, 56, 16, .Lsums_4x2
.Lstep_4x2:
    fetch   r0, FIRST_WORDS
    fetch   r2, FIRST_RECORD
.Lgroup_4x2:
    // The first input pair copies the initial values to the second pixel on the way.
    fetch   r1, INPUT
    ldm     r2!, {r6, r7, r10, r11}
    keep    RECORD, r2
    ldr     r2, [r0, #4]
    ldr     r3, [r0, #8]
    ldr     r4, [r1, #4]
    ldr     r5, [r1, #8]
    smlad   r8, r2, r5, r6
    smlad   r6, r2, r4, r6
    sxtb16  r2, r2
    smlad   r12, r3, r5, r10
    smlad   r10, r3, r4, r10
    sxtb16  r3, r3
    smlad   r9, r2, r5, r7
    smlad   r7, r2, r4, r7
    smlad   lr, r3, r5, r11
    smlad   r11, r3, r4, r11
    fetch   r2, ENTRY
    fetch   r3, BACK
    add     r0, r0, r3
    add     r1, r1, r3
    bx      r2
    .p2align 2
.Lloop_4x2:
    step_4x2 0
    step_4x2 1
    step_4x2 2
    step_4x2 3
    step_4x2 4
    step_4x2 5
    step_4x2 6
    step_4x2 7, 64
    again   .Lloop_4x2
    .p2align 2
.Lsums_4x2:
    fetch   r3, FINISH
    fetch   r2, RECORD
    fetch   r1, OUTPUT
    sub     r6, r6, r7
    sub     r8, r8, r9
    sub     r10, r10, r11
    sub     r12, r12, lr
    cmp     r3, #0
    bne     .Lany_4x2
    finish_added r7, r9, 0, r3, r4, r5
    fetch   r3, PITCH
    add     r3, r3, r1
    store_x2 r7, r9
    finish_added r6, r8, 1, r4, r5, r7
    store_x2 r6, r8
    finish_added r11, lr, 0, r4, r5, r7
    store_x2 r11, lr
    finish_added r10, r12, 1, r4, r5, r7
    store_x2 r10, r12
.Ldone_4x2:
    fetch   r3, LAST_RECORD
    keep    OUTPUT, r1
    cmp     r2, r3
    blo     .Lgroup_4x2
    next_step .Lstep_4x2
.Lany_4x2:
    keep    WORDS, r0
    fetch   r0, PITCH
    fetch   r5, ZERO_POINT
    add     r0, r0, r1
    asr     r6, r6, #7
    asr     r8, r8, #7
    asr     r10, r10, #7
    asr     r12, r12, #7
    finish_any r7, r9, 0
    finish_any r6, r8, 1
    finish_any r11, lr, 0
    unless_odd r7, .Llast_4x2
    finish_any r10, r12, 1
    fetch   r0, WORDS
    b       .Ldone_4x2
.Llast_4x2:
    add     r2, r2, #12
    b       .Ldone_4x2
    .size secateur_lanes_4x2, . - secateur_lanes_4x2

// ---- 2 channels x 2 pixels: F r6 r8, L r7 r9 ----

.macro step_2x2 u, last_word=0, last_input=0
.if \last_word
    ldr.w   r2, [r0, #\last_word]!
    ldr.w   r4, [r1, #(8 * \u + 4)]
    ldr.w   r5, [r1, #\last_input]!
.else
    ldr.w   r2, [r0, #(4 * \u + 4)]
    ldr.w   r4, [r1, #(8 * \u + 4)]
    ldr.w   r5, [r1, #(8 * \u + 8)]
.endif
    smlad   r6, r2, r4, r6
    smlad   r8, r2, r5, r8
    sxtb16  r2, r2
    smlad   r7, r2, r4, r7
    smlad   r9, r2, r5, r9
.endm

function secateur_lanes_2x2
    prologue .Lloop_2x2, 4, 8, 4, 32
.Lstep_2x2:
    begin_step
.Lgroup_2x2:
    ldm     r1!, {r6, r7}
    mov     r8, r6
    mov     r9, r7
    enter
    .p2align 2
.Lloop_2x2:
    step_2x2 0
    step_2x2 1
    step_2x2 2
    step_2x2 3, 16, 32
    again   .Lloop_2x2
    split   r6, r7
    split   r8, r9
    begin_finish
    second_output
    finish_x2 r7, r9, 0, 0
    unless_odd r7, .Llast_2x2
    finish_x2 r6, r8, 1, 0
.Ldone_2x2:
    next    .Lgroup_2x2, .Lstep_2x2
.Llast_2x2:
    add     r1, r1, #12
    b       .Ldone_2x2
    .size secateur_lanes_2x2, . - secateur_lanes_2x2

// ---- 8 channels x 1 pixel: F r6 r8 r10 r12, L r7 r9 r11 lr ----

.macro step_8x1 u, last_word=0, last_input=0
.if \last_input
    ldr.w   r4, [r1, #\last_input]!
.else
    ldr.w   r4, [r1, #(4 * \u + 4)]
.endif
    ldr.w   r2, [r0, #(16 * \u + 4)]
    ldr.w   r3, [r0, #(16 * \u + 8)]
    ldr.w   r5, [r0, #(16 * \u + 12)]
    smlad   r6, r2, r4, r6
    sxtb16  r2, r2
    smlad   r8, r3, r4, r8
    sxtb16  r3, r3
    smlad   r10, r5, r4, r10
    sxtb16  r5, r5
    smlad   r7, r2, r4, r7
    smlad   r9, r3, r4, r9
.if \last_word
    ldr.w   r2, [r0, #\last_word]!
.else
    ldr.w   r2, [r0, #(16 * \u + 16)]
.endif
    smlad   r11, r5, r4, r11
    smlad   r12, r2, r4, r12
    sxtb16  r2, r2
    smlad   lr, r2, r4, lr
.endm

.macro finish_8x1 relu
    finish_x1 r7, 0, \relu
    finish_x1 r6, 1, \relu
    finish_x1 r9, 0, \relu
    finish_x1 r8, 1, \relu
    finish_x1 r11, 0, \relu
    finish_x1 r10, 1, \relu
    finish_x1 lr, 0, \relu
    finish_x1 r12, 1, \relu
.endm

function secateur_lanes_8x1
    prologue .Lloop_8x1, 16, 4, 8, 68
.Lstep_8x1:
    begin_step
.Lgroup_8x1:
    ldm     r1!, {r6-r12, lr}
    enter
    .p2align 2
.Lloop_8x1:
    step_8x1 0
    step_8x1 1
    step_8x1 2
    step_8x1 3
    step_8x1 4
    step_8x1 5
    step_8x1 6
    step_8x1 7, 128, 32
    again   .Lloop_8x1
    split   r6, r7
    split   r8, r9
    split   r10, r11
    split   r12, lr
    begin_finish
    finish_8x1 0
    next    .Lgroup_8x1, .Lstep_8x1
    .size secateur_lanes_8x1, . - secateur_lanes_8x1

// ---- 4 channels x 1 pixel: F r6 r8, L r7 r9 ----

.macro step_4x1 u, last_word=0, last_input=0
.if \last_word
    ldr.w   r4, [r1, #\last_input]!
    ldr.w   r2, [r0, #(8 * \u + 4)]
    ldr.w   r3, [r0, #\last_word]!
.else
    ldr.w   r4, [r1, #(4 * \u + 4)]
    ldr.w   r2, [r0, #(8 * \u + 4)]
    ldr.w   r3, [r0, #(8 * \u + 8)]
.endif
    smlad   r6, r2, r4, r6
    sxtb16  r2, r2
    smlad   r8, r3, r4, r8
    sxtb16  r3, r3
    smlad   r7, r2, r4, r7
    smlad   r9, r3, r4, r9
.endm

function secateur_lanes_4x1
    prologue .Lloop_4x1, 8, 4, 4, 36
.Lstep_4x1:
    begin_step
.Lgroup_4x1:
    ldm     r1!, {r6-r9}
    enter
    .p2align 2
.Lloop_4x1:
    step_4x1 0
    step_4x1 1
    step_4x1 2
    step_4x1 3, 32, 16
    again   .Lloop_4x1
    split   r6, r7
    split   r8, r9
    begin_finish
    finish_x1 r7, 0, 0
    finish_x1 r6, 1, 0
    finish_x1 r9, 0, 0
    unless_odd r7, .Llast_4x1
    finish_x1 r8, 1, 0
.Ldone_4x1:
    next    .Lgroup_4x1, .Lstep_4x1
.Llast_4x1:
    add     r1, r1, #12
    b       .Ldone_4x1
    .size secateur_lanes_4x1, . - secateur_lanes_4x1

// ---- 2 channels x 1 pixel: F r6, L r7 ----

.macro step_2x1 u, last=0
.if \last
    ldr.w   r4, [r1, #\last]!
    ldr.w   r2, [r0, #\last]!
.else
    ldr.w   r4, [r1, #(4 * \u + 4)]
    ldr.w   r2, [r0, #(4 * \u + 4)]
.endif
    smlad   r6, r2, r4, r6
    sxtb16  r2, r2
    smlad   r7, r2, r4, r7
.endm

function secateur_lanes_2x1
    prologue .Lloop_2x1, 4, 4, 4, 20
.Lstep_2x1:
    begin_step
.Lgroup_2x1:
    ldm     r1!, {r6, r7}
    enter
    .p2align 2
.Lloop_2x1:
    step_2x1 0
    step_2x1 1
    step_2x1 2
    step_2x1 3, 16
    again   .Lloop_2x1
    split   r6, r7
    begin_finish
    finish_x1 r7, 0, 0
    unless_odd r7, .Llast_2x1
    finish_x1 r6, 1, 0
.Ldone_2x1:
    next    .Lgroup_2x1, .Lstep_2x1
.Llast_2x1:
    add     r1, r1, #12
    b       .Ldone_2x1
    .size secateur_lanes_2x1, . - secateur_lanes_2x1
