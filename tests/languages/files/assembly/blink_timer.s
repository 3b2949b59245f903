        .syntax unified
        .text

@ Waits r0 microseconds before the lamp changes.
        .globl delay_us
delay_us:
        lsls    r0, r0, #4
1:      subs    r0, r0, #1
        bne     1b
        bx      lr

@ Turns the lamp over.
toggle_lamp:
        ldr     r1, =0x40020014
        ldr     r2, [r1]
        eor     r2, r2, #32
        str     r2, [r1]
        bx      lr
