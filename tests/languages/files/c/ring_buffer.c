#include "ring_buffer.h"

#define RING_SIZE 256

struct ring {
    unsigned char bytes[RING_SIZE];
    unsigned head;
    unsigned tail;
};

/* Puts a byte in; false where the ring is full. */
bool ring_push(struct ring *ring, unsigned char byte)
{
    unsigned next = (ring->head + 1) % RING_SIZE;
    if (next == ring->tail)
        return false;
    ring->bytes[ring->head] = byte;
    ring->head = next;
    return true;
}

/*
 * Takes the oldest byte out of the ring.
 */
int ring_pop(struct ring *ring)
{
    if (ring->head == ring->tail)
        return -1;
    int byte = ring->bytes[ring->tail];
    ring->tail = (ring->tail + 1) % RING_SIZE;
    return byte;
}
